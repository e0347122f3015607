import type { StreamItem } from './transport.ts';

/** The fields of an entry. What is not a JSON object was not written by a wrapper; it becomes the content of a message. */
export function parseEntryData(text: string): StreamItem['data'] {
  let read: unknown = text;
  try {
    read = JSON.parse(text);
  } catch {
    // Not JSON.
  }
  const isObject = typeof read === 'object' && read !== null && !Array.isArray(read);
  return isObject ? (read as StreamItem['data']) : { type: 'message', content: String(read) };
}
