import { endOfString } from '../model/values/bounded-json.ts';

/** Maximum depth of arrays and objects in an agent's message; known messages stay below 20. */
export const NESTING_LIMIT = 500;

const [QUOTE, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [34, 91, 93, 123, 125];

/**
 * Whether a JSON text is nested deeper than that. Scans only the text, because parsing megabytes of brackets
 * takes a hundred times their memory.
 */
export function nestsDeeperThan(levels: number, text: string): boolean {
  if (text.length <= levels) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth += 1;
      if (depth > levels) return true;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth -= 1;
  }
  return false;
}
