import { z } from 'zod';
import { execFields, hasOneCommand, hasOneInput, ONE_COMMAND, ONE_INPUT } from './exec.ts';
import { PROMPT_DEADLINE_SECONDS, REQUEST_ID_LIMIT, TEXT_LIMIT } from './limits.ts';

/** A message from an orchestrator on `worker:<id>:input`. */
export const inputMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('prompt'),
    content: z.string().max(TEXT_LIMIT),
    request_id: z.string().max(REQUEST_ID_LIMIT).optional(),
    deadline_seconds: z.number().positive().max(PROMPT_DEADLINE_SECONDS).optional(),
    /** Whether the turn is begun again if the body ends during it; otherwise it fails as `body_lost`. */
    retry: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal('interrupt'), request_id: z.string().max(REQUEST_ID_LIMIT).optional() }),
  z.strictObject({ type: z.literal('shutdown'), request_id: z.string().max(REQUEST_ID_LIMIT).optional() }),
]);
export type InputMessage = z.infer<typeof inputMessage>;

/** A command for the body, on the same stream: it runs beside the agent, and does not wait for a turn. */
export const execMessage = z
  .strictObject({
    type: z.literal('exec'),
    ...execFields,
    request_id: z.string().max(REQUEST_ID_LIMIT).optional(),
  })
  .refine(hasOneCommand, ONE_COMMAND)
  .refine(hasOneInput, ONE_INPUT);
export type ExecMessage = z.infer<typeof execMessage>;

/** Types of the entries on `worker:<id>:output`. */
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
  'exec_output',
  'exec_completed',
  'gap',
  'exited',
] as const;
export type OutputType = (typeof OUTPUT_TYPES)[number];

/** An entry of the output stream. `seq` increases by one per worker, across its incarnations, without gaps. */
export interface OutputMessage {
  seq: number;
  incarnation: number;
  type: OutputType;
  content: string;
  timestamp: string;
  request_id?: string;
  /**
   * Only for `stdout` and `stderr`: `content` is not followed by a newline, because the line continues in the next
   * entry or ended without one. Every other entry ends in a newline. This allows the output to be restored byte for
   * byte.
   */
  partial?: boolean;
  /**
   * Only for `stdout`, `stderr` and `exec_output` that are not valid UTF-8: the bytes of `content`, which has U+FFFD in place of
   * invalid bytes.
   */
  base64?: string;
  [field: string]: unknown;
}
