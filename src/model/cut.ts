/** Cutting text without leaving half of a character: the one way in which text of others is shortened. Pure; imports nothing. */

/** The beginning of a text, at most `most` UTF-16 units long; no half of a character is left, neither of ours nor of others. */
export function headOf(text: string, most: number): string {
  return (text.length > most ? text.slice(0, most - (isSplit(text, most) ? 1 : 0)) : text).toWellFormed();
}

/** The end of a text, at most `most` UTF-16 units long. */
export function tailOf(text: string, most: number): string {
  const from = Math.max(0, text.length - most);
  return text.slice(from + (isSplit(text, from) ? 1 : 0)).toWellFormed();
}

/** Whether a cut at that place would fall between the two halves of a character. */
function isSplit(text: string, at: number): boolean {
  return at > 0 && isHalf(text, at, 0xdc00) && isHalf(text, at - 1, 0xd800);
}

function isHalf(text: string, at: number, kind: 0xd800 | 0xdc00): boolean {
  return (text.charCodeAt(at) & 0xfc00) === kind;
}
