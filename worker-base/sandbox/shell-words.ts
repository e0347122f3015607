/** A word without its quotes. */
export interface Word {
  text: string;
  /** No part of it is computed at run time. */
  sure: boolean;
  /** No part of it was quoted. */
  bare: boolean;
}
/** `operator` is one of `; & | ( )` and the line end; `&&` is two operators. */
export type Token = Word | { operator: string };

/** Words and operators, without redirections and comments; the content of `$(…)` goes to `nested`. */
export function tokenize(text: string, nested: string[]): Token[] {
  const tokens: Token[] = [];
  const here: { end: string; tabs: boolean }[] = [];
  let word: Word | undefined;
  /** The next word is a file, or the end of a here-document. */
  let skip: 'file' | 'here' | 'here-' | undefined;
  let at = 0;
  const add = (part: string, how: Partial<Word> = {}) => {
    word ??= { text: '', sure: true, bare: true };
    word.text += part;
    if (how.sure === false) word.sure = false;
    if (how.bare === false) word.bare = false;
  };
  const finish = () => {
    if (!word) return;
    if (skip === 'here' || skip === 'here-') here.push({ end: word.text, tabs: skip === 'here-' });
    else if (!skip) tokens.push(word);
    skip = undefined;
    word = undefined;
  };
  const substitute = (open: number): number => {
    const close = closing(text, open);
    nested.push(text.slice(open + 1, close));
    return close;
  };
  const expand = (): void => {
    const next = text[at + 1];
    add('', { sure: false });
    if (text.startsWith('$((', at)) at = closing(text, at + 1);
    else if (next === '(') at = substitute(at + 1);
    else if (next === '{') at = findEnd(text, '}', at);
  };
  let brackets: Map<number, number> | undefined;
  /** `((…))` is arithmetic if both brackets close together; `( (…) )` is commands. */
  const isArithmetic = (): boolean => {
    brackets ??= findBrackets(text);
    const [outer, inner] = [brackets.get(at), brackets.get(at + 1)];
    return outer !== undefined && inner === outer - 1;
  };
  for (; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char === '\\') {
      at += 1;
      if (text[at] !== '\n') add(text[at] ?? '', { bare: false });
    } else if (char === "'") {
      const end = text.indexOf("'", at + 1);
      add(text.slice(at + 1, end < 0 ? undefined : end), { bare: false });
      at = end < 0 ? text.length : end;
    } else if (char === '"') {
      add('', { bare: false });
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
        if (text[at] === '\\' && '$`"\\\n'.includes(text[at + 1] ?? ' ')) add(text[++at] as string);
        else if (text[at] === '$' && /[\w({@*#?$!-]/.test(text[at + 1] ?? '')) expand();
        else if (text[at] === '`') at = backquoted(text, at, nested, () => add('', { sure: false }));
        else add(text[at] as string);
      }
    } else if (char === '`') at = backquoted(text, at, nested, () => add('', { sure: false }));
    else if (char === '$' && text[at + 1] === "'") {
      // Its escapes are not read: its value is unknown.
      add('', { sure: false, bare: false });
      at = endOfAnsi(text, at + 1);
    } else if (char === '(' && text[at + 1] === '(' && !word && isArithmetic()) at = brackets?.get(at) ?? at;
    else if (char === '$') expand();
    else if (char === '#' && !word) at = findEnd(text, '\n', at) - 1;
    else if ((char === '<' || char === '>') && text[at + 1] === '(') {
      at = substitute(at + 1);
      add('', { sure: false });
    } else if (char === '<' || char === '>' || (char === '&' && text[at + 1] === '>')) {
      // The number before it belongs to it.
      if (word && /^\d+$/.test(word.text)) word = undefined;
      finish();
      const operator = /^(?:<<<|<<-?|[<>]&|&>>?|>>|>\||<>|[<>])/.exec(text.slice(at, at + 3))?.[0] ?? char;
      at += operator.length - 1;
      skip = operator === '<<' ? 'here' : operator === '<<-' ? 'here-' : 'file';
    } else if (char === '(' && word?.text.endsWith('=') && word.bare) {
      // name=(words)
      at = closing(text, at);
    } else if (';&|()\n'.includes(char)) {
      finish();
      skip = undefined;
      tokens.push({ operator: char });
      if (char === '\n') for (const end of here.splice(0)) at = afterHere(text, at, end);
    } else if (char === ' ' || char === '\t' || char === '\r') finish();
    else add(char, '*?~'.includes(char) ? { sure: false } : {});
  }
  finish();
  return tokens;
}

/** The end of `$'…'`, in which a backslash escapes the next character, including a quote. */
function endOfAnsi(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === "'") return at;
  }
  return text.length;
}

/** The position of each closing bracket, by that of the opening one. Quotes are respected. */
function findBrackets(text: string): Map<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === "'") at = text[at - 1] === '$' ? endOfAnsi(text, at) : findEnd(text, "'", at);
    else if (char === '"') {
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1;
    } else if (char === '(') open.push(at);
    else if (char === ')') {
      const begin = open.pop();
      if (begin !== undefined) pairs.set(begin, at);
    }
  }
  return pairs;
}

/**
 * The position of the bracket that closes the one at `open`, or the end of the text. Quotes are respected.
 */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === "'") at = findEnd(text, "'", at);
    else if (char === '"') {
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1;
    } else if (char === '(') depth += 1;
    else if (char === ')') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return text.length;
}

function backquoted(text: string, open: number, nested: string[], unsure: () => void): number {
  unsure();
  const end = findEnd(text, '`', open);
  nested.push(text.slice(open + 1, end));
  return end;
}

function findEnd(text: string, char: string, open: number): number {
  const end = text.indexOf(char, open + 1);
  return end < 0 ? text.length : end;
}

/** The end of the last line of a here-document that starts after `at`. */
function afterHere(text: string, at: number, { end, tabs }: { end: string; tabs: boolean }): number {
  for (let from = at + 1; from < text.length; ) {
    const stop = text.indexOf('\n', from);
    const line = text.slice(from, stop < 0 ? undefined : stop);
    if ((tabs ? line.replace(/^\t+/, '') : line) === end) return stop < 0 ? text.length : stop - 1;
    if (stop < 0) return text.length;
    from = stop + 1;
  }
  return text.length;
}
