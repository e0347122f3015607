/** Truncates text without splitting a surrogate pair; all external text is shortened here. Pure; imports nothing. */

/** The start of a text, at most `most` UTF-16 units long, without lone surrogates. */
export function takeHead(text: string, most: number): string {
  return (text.length > most ? text.slice(0, most - (isSplit(text, most) ? 1 : 0)) : text).toWellFormed();
}

/** The end of a text, at most `most` UTF-16 units long. */
export function takeTail(text: string, most: number): string {
  const from = Math.max(0, text.length - most);
  return text.slice(from + (isSplit(text, from) ? 1 : 0)).toWellFormed();
}

/** Whether a cut at this index would split a surrogate pair. */
function isSplit(text: string, at: number): boolean {
  return at > 0 && isHalf(text, at, 0xdc00) && isHalf(text, at - 1, 0xd800);
}

function isHalf(text: string, at: number, kind: 0xd800 | 0xdc00): boolean {
  return (text.charCodeAt(at) & 0xfc00) === kind;
}
