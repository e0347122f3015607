/**
 * Levels of arrays and objects that a task's arguments, result and progress may have. Python's own reader and writer of
 * JSON end at about 1000, and V8's writer at a few thousand, with an error that names no place.
 */
export const JSON_DEPTH_LIMIT = 500;

/** Whether a JSON value has more than that many levels. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const items = Array.isArray(value) ? value : Object.values(value);
  return items.some((item) => isDeeperThan(levels - 1, item));
}

/** A text of JSON as its value; undefined if it is no JSON or too deep. Costs next to nothing for short texts. */
export function readBoundedJson(text: string): { value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Each level takes two characters at least.
    if (text.length > 2 * JSON_DEPTH_LIMIT && isDeeperThan(JSON_DEPTH_LIMIT, value)) return undefined;
    return { value };
  } catch {
    return undefined;
  }
}
