/** Checks of what programs without types pass by mistake, and what would otherwise be done in another way than they mean. */
import type { FileContent } from './door-transports.ts';
import { ManagerError } from './errors.ts';

/** A time or a count. Without the check, `5m` would be a deadline that never comes, because it is not a number. */
export function checkNumber(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && !Number.isNaN(value))) return;
  throw new ManagerError('invalid_command', `${name} must be a number, not ${show(value)}.`);
}

/** Permissions: 644 without its `0o` has other bits than 0o644. */
export function checkMode(mode: unknown): void {
  if (mode === undefined || (Number.isInteger(mode) && (mode as number) >= 0 && (mode as number) <= 0o777))
    return;
  const what = `mode must be permissions from 0 to 0o777, such as 0o644, not ${show(mode)}.`;
  throw new ManagerError('invalid_command', what);
}

/** Other values would be written as their text, such as `undefined` or `[object Object]`, over the file. */
export function toFileContent(content: FileContent | ArrayBuffer | ArrayBufferView): FileContent {
  if (typeof content === 'string' || content instanceof Blob || content instanceof ReadableStream)
    return content;
  if (content instanceof ArrayBuffer) return new Uint8Array(content);
  if (ArrayBuffer.isView(content))
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  const what = `The content must be a string, bytes, a Blob or a ReadableStream, not ${show(content)}.`;
  throw new ManagerError('invalid_command', what);
}

/** An ID or a name as one part of a path; what is not a text becomes an empty one, which the manager refuses. */
export const encodeName = (name: string): string =>
  typeof name === 'string' ? encodeURIComponent(name) : '';

const show = (value: unknown): string =>
  typeof value === 'string'
    ? JSON.stringify(value)
    : typeof value === 'object'
      ? kindOf(value)
      : String(value);

function kindOf(value: object | null): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `an object of the type ${value.constructor?.name ?? 'Object'}`;
}
