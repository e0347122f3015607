/** Text that is safe on a terminal. Pure; imports nothing of ours. */

/**
 * ESC and the other control characters except tab and newline, and those that reorder text (Unicode's bidirectional
 * overrides and isolates): foreign text must neither control a terminal nor look like other text.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** Whole escape sequences, so that no `[31m` remains of a color. */
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed.
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]/g;

/** Text without escape sequences and control characters; lines stay lines. */
export function printable(text: string): string {
  return text.replace(SEQUENCE, '').replace(CONTROL, '');
}
