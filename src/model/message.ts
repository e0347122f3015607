import { z } from 'zod';
import { TEXT_LIMIT } from './spec.ts';

/** What an orchestrator puts on `worker:<id>:input`. */
export const inputMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('prompt'),
    content: z.string().max(TEXT_LIMIT),
    request_id: z.string().max(128).optional(),
    deadline_seconds: z.number().positive().max(604_800).optional(),
  }),
  z.strictObject({ type: z.literal('interrupt'), request_id: z.string().max(128).optional() }),
  z.strictObject({ type: z.literal('shutdown'), request_id: z.string().max(128).optional() }),
]);
export type InputMessage = z.infer<typeof inputMessage>;

/** The types of what stands on `worker:<id>:output`. */
export const OUTPUT_TYPES = [
  'ready',
  'stdout',
  'stderr',
  'turn_started',
  'message',
  'tool_use',
  'tool_result',
  'permission_denied',
  'waiting_for_input',
  'turn_completed',
  'turn_failed',
  'completed',
  'gap',
  'exited',
] as const;
export type OutputType = (typeof OUTPUT_TYPES)[number];

/** One entry of the output stream. `seq` rises by one per worker, across its incarnations, without holes. */
export interface OutputMessage {
  seq: number;
  incarnation: number;
  type: OutputType;
  content: string;
  timestamp: string;
  request_id?: string;
  /**
   * Of `stdout` and `stderr`: no newline follows `content`, because the line goes on in the next entry or ended without one.
   * After every other entry there is one: that is how the agent's output is put together byte for byte.
   */
  partial?: boolean;
  /** Of `stdout` and `stderr` that are not UTF-8: the bytes of `content`, in which U+FFFD stands for what is not text. */
  base64?: string;
  [field: string]: unknown;
}
