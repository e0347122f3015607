import { z } from 'zod';
import { execFields, hasOneCommand, hasOneInput, ONE_COMMAND, ONE_INPUT } from '../doors/exec.ts';
import {
  FILE_MESSAGE_BYTES,
  PROMPT_DEADLINE_SECONDS,
  REQUEST_ID_LIMIT,
  TEXT_LIMIT,
} from '../values/limits.ts';

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

const fileFields = {
  /** From the workspace, or absolute and in it. */
  path: z.string().min(1).max(4096),
  request_id: z.string().max(REQUEST_ID_LIMIT).optional(),
};

/** Reads or writes a file of the workspace, up to 8 MiB; the answer are entries `file`. The HTTP API has no limit. */
export const fileMessage = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('read_file'),
      ...fileFields,
      offset: z.number().int().min(0).optional().describe('bytes to skip'),
      length: z.number().int().min(1).max(FILE_MESSAGE_BYTES).optional().describe('most bytes to read'),
    }),
    z.strictObject({
      type: z.literal('write_file'),
      ...fileFields,
      content: z.string().max(FILE_MESSAGE_BYTES).optional().describe('the content as text'),
      content_base64: z
        .string()
        .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be base64')
        .max(Math.ceil(FILE_MESSAGE_BYTES / 3) * 4)
        .optional()
        .describe('or as bytes'),
      mode: z
        .string()
        .regex(/^0?[0-7]{3}$/)
        .optional()
        .describe('permissions, such as `644`'),
    }),
  ])
  .refine(
    (message) =>
      message.type === 'read_file' ||
      (message.content === undefined) !== (message.content_base64 === undefined),
    { path: ['content'], message: 'is required, or `content_base64`, but not both' },
  );
export type FileMessage = z.infer<typeof fileMessage>;

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
  'file',
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
   * Only for `stdout`, `stderr`, `exec_output` and `file` that are not valid UTF-8: the bytes of `content`, which has U+FFFD in place of
   * invalid bytes.
   */
  base64?: string;
  [field: string]: unknown;
}
