/** Orders IDs of entries of Redis streams: `<milliseconds>-<number>`. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aNumber = 0] = a.split('-').map(Number);
  const [bMs = 0, bNumber = 0] = b.split('-').map(Number);
  return aMs - bMs || aNumber - bNumber;
}

/** The highest sequence number of an entry ID. */
export const LAST_SEQUENCE = '18446744073709551615';

/** Whether a text is the ID of an entry, or only its milliseconds. Redis fails a read after a number of more than 64 bits. */
export function isEntryId(text: string): boolean {
  const parts = /^\d{1,16}(?:-(\d{1,20}))?$/.exec(text);
  return parts !== null && BigInt(parts[1] ?? 0) <= BigInt(LAST_SEQUENCE);
}
