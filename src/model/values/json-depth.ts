/**
 * Maximum nesting of a task's arguments, result and progress. Python's JSON reader and writer fail at about 1000
 * levels, and V8's writer at a few thousand, with an error that does not name the place.
 */
export const JSON_DEPTH_LIMIT = 500;

/** Whether a JSON value has more than `most` levels. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const items = Array.isArray(value) ? value : Object.values(value);
  return items.some((item) => isDeeperThan(levels - 1, item));
}

/** Parses JSON; undefined if the text is not JSON or nested too deeply. Short texts cost next to nothing. */
export function readBoundedJson(text: string): { value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // Each level takes at least two characters.
    if (text.length > 2 * JSON_DEPTH_LIMIT && isDeeperThan(JSON_DEPTH_LIMIT, value)) return undefined;
    return { value };
  } catch {
    return undefined;
  }
}
