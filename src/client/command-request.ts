/** The request of a command. */
import type { RequestOptions } from './request-options.ts';
import type { CommandRequest } from './types.ts';

export interface CommandOptions extends RequestOptions {
  /** Directory, relative to the workspace, which is the default. */
  cwd?: string | undefined;
  /** Variables in addition to the agent's. */
  env?: Record<string, string> | undefined;
  /** Its whole input. With `background`, `true` keeps the input open for `sendStdin`. */
  stdin?: string | Uint8Array | true | undefined;
  /** It is ended after this time. */
  timeoutSeconds?: number | undefined;
  /** Called with output as it comes. */
  onStdout?: ((text: string) => void) | undefined;
  onStderr?: ((text: string) => void) | undefined;
}

/** Input of up to this size is sent with the command. */
const INLINE_BYTES = 256 * 1024;

/** The command as it is sent, and the input that is sent later, because it is large. */
export function toCommandRequest(
  command: string | string[],
  { cwd, env, stdin, timeoutSeconds }: CommandOptions,
): { request: CommandRequest; later: Uint8Array | undefined } {
  const bytes =
    typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin === true ? undefined : stdin;
  const later = bytes && bytes.length > INLINE_BYTES ? bytes : undefined;
  const request: CommandRequest = {
    ...(typeof command === 'string' ? { shell: command } : { command }),
    ...(cwd !== undefined && { cwd }),
    ...(env && { env }),
    ...(bytes && !later && { stdin_base64: toBase64(bytes) }),
    ...((later || stdin === true) && { open_stdin: true }),
    ...(timeoutSeconds !== undefined && { timeout_seconds: timeoutSeconds }),
  };
  return { request, later };
}

/** Without Node's Buffer, which browsers do not have. */
function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
