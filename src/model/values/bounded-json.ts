/** Limits on untrusted JSON, checked on its text before it is parsed, and without recursion. */

export interface JsonBounds {
  /** Levels of nested arrays and objects. */
  depth: number;
  /** Total number of values: array elements, object values, and the arrays and objects themselves. */
  values: number;
}

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [34, 92, 44, 91, 93, 123, 125];

/**
 * A phrase that says which limit the text exceeds; `undefined` if it is within the limits. The text need not be valid
 * JSON.
 */
export function findJsonExcess(
  text: string,
  { depth: deepest, values: most }: JsonBounds,
): string | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA) values += 1;
    else if (code === CLOSE_LIST || code === CLOSE_MAP) depth -= 1;
    else if (code === OPEN_LIST || code === OPEN_MAP) {
      depth += 1;
      values += 1;
    }
    if (depth > deepest) return `is nested too deeply: it has more than ${deepest} levels`;
    if (values > most) return `has more than ${most} values`;
  }
  return undefined;
}

/** Whether a parsed value contains more than `most` values in total. */
export function holdsMoreThan(most: number, value: unknown): boolean {
  const left = [value];
  for (let count = 1; left.length > 0; count += 1) {
    const next = left.pop();
    if (count > most) return true;
    if (typeof next !== 'object' || next === null) continue;
    const items: unknown[] = Array.isArray(next) ? next : Object.values(next);
    if (items.length > most) return true;
    for (const item of items) left.push(item);
  }
  return false;
}

/** Index of the quote that ends the string; the length of the text if the string does not end. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    // After an even number of backslashes, the quote is not escaped.
    if ((at - before) % 2 === 1) return at;
  }
}
