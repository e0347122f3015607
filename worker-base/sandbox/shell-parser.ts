/**
 * Finds the programs that a shell command would run, as far as its text shows. Pure.
 *
 * For readable denials, not for safety: names that are computed at run time (`$x`, globs, aliases of git) are
 * not found. Reads a text once from left to right; nested commands are read separately, to a bounded depth.
 */

import { type Token, tokenize, type Word } from './shell-words.ts';

/** Limits: characters that are read, and levels of `bash -c "bash -c …"`. */
const LONGEST = 131_072;
const DEEPEST = 6;
/** Limit for one `find`. */
const FIND_ACTIONS = 8;

/** Words before a command that are not commands themselves. */
const PREFIXES = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '!', '{', 'time', 'coproc']);
/** Words after which no command follows up to the next separator. */
const HEADS = new Set(['for', 'select', 'fi', 'done', 'esac', '}', 'in']);
export const BUILTINS = new Set(
  (
    '. : [ [[ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs disown echo ' +
    'enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf ' +
    'pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit ' +
    'umask unalias unset wait'
  ).split(' '),
);
/** Programs that run a command in their arguments, with their options that take the next word. */
const RUNNERS: Record<string, { options: string; words?: number; assignments?: true }> = {
  builtin: { options: '' },
  chrt: { options: '-T -P -D', words: 1 },
  command: { options: '' },
  doas: { options: '-u -C' },
  env: { options: '-u -C -S --unset --chdir', assignments: true },
  exec: { options: '-a' },
  ionice: { options: '-c -n -p' },
  nice: { options: '-n --adjustment' },
  nohup: { options: '' },
  setsid: { options: '' },
  stdbuf: { options: '-i -o -e' },
  sudo: { options: '-u -g -h -p -C -D -T -U', assignments: true },
  timeout: { options: '-s -k --signal --kill-after', words: 1 },
  xargs: { options: '-I -n -P -L -d -a -E -s --max-args --max-procs --delimiter --arg-file' },
};
const SHELLS = new Set(['bash', 'sh', 'dash', 'ksh', 'zsh']);
/** Directories in which a path names a program of the image. */
const BIN = /^(?:\/usr(?:\/local)?)?\/s?bin\/([^/]+)$/;

/**
 * The programs by name, each once and in the order of the text. Builtins, functions and uncertain names are
 * omitted.
 */
export function findPrograms(command: string): string[] {
  const found = new Set<string>();
  const own = new Set<string>();
  read(command, 0, { found, own });
  return [...found].filter((name) => !own.has(name));
}

interface Finding {
  found: Set<string>;
  /** Functions and aliases that the text itself defines. */
  own: Set<string>;
}

function read(text: string, depth: number, finding: Finding): void {
  if (depth > DEEPEST || text.length > LONGEST) return;
  const nested: string[] = [];
  let words: Word[] = [];
  let cases = 0;
  let pattern = false;
  const flush = () => {
    if (words.length > 0) readSimple(words, depth, finding);
    words = [];
  };
  const tokens = tokenize(text, nested);
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as Token;
    const next = tokens[at + 1];
    if (pattern) {
      // `a | b)` of a case; the text between two of them is commands.
      if (isOperator(token, ')')) pattern = false;
      else if (isWord(token, 'esac')) {
        pattern = false;
        cases -= 1;
      }
    } else if ('operator' in token) {
      const [name] = words;
      if (token.operator === '(' && name && isOperator(next, ')')) {
        // NAME () { …
        finding.own.add(name.text);
        words = [];
        at += 1;
      } else flush();
      pattern = cases > 0 && token.operator === ';' && isOperator(next, ';');
      if (pattern) at += 1;
    } else if (words.length > 0 || isAssignment(token)) {
      if (words.length > 0) words.push(token);
    } else if (!token.bare) words.push(token);
    else if (token.text === 'case') {
      cases += 1;
      pattern = true;
      while (at < tokens.length && !isWord(tokens[at], 'in')) at += 1;
    } else if (token.text === 'function') {
      if (next && !('operator' in next)) finding.own.add(next.text);
      at += 1;
    } else if (token.text === '[[') {
      while (at < tokens.length && !isWord(tokens[at], ']]')) at += 1;
    } else if (!PREFIXES.has(token.text)) {
      if (token.text === 'esac') cases -= 1;
      words.push(token);
    }
  }
  flush();
  for (const inner of nested) read(inner, depth + 1, finding);
}

const isOperator = (token: Token | undefined, operator: string) =>
  token !== undefined && 'operator' in token && token.operator === operator;
const isWord = (token: Token | undefined, text: string) =>
  token !== undefined && !('operator' in token) && token.bare && token.text === text;

function readSimple(words: Word[], depth: number, finding: Finding): void {
  const [program, ...args] = words as [Word, ...Word[]];
  if (!program.sure || program.text === '' || (program.bare && HEADS.has(program.text))) return;
  const path = BIN.exec(program.text);
  // Any other path is the agent's own file, and only the system knows its type.
  if (!path && program.text.includes('/')) return;
  const name = path?.[1] ?? program.text;
  if (path || !BUILTINS.has(name)) finding.found.add(name);
  if (depth > DEEPEST) return;
  const texts = args.map(({ text }) => text);
  if (name === 'alias') for (const text of texts) finding.own.add(text.split('=')[0] ?? '');
  if (name === 'eval' && args.every(({ sure }) => sure)) read(texts.join(' '), depth + 1, finding);
  if (SHELLS.has(name)) {
    const at = texts.findIndex((text) => /^-[a-z]*c$/.test(text));
    const script = at < 0 ? undefined : args[at + 1];
    if (script?.sure) read(script.text, depth + 1, finding);
  }
  if (name === 'find') {
    const starts = [...texts.keys()].filter((at) => /^-(exec|ok)(dir)?$/.test(texts[at] ?? ''));
    for (const at of starts.slice(0, FIND_ACTIONS)) {
      const rest = args.slice(at + 1);
      if (rest.length > 0) readSimple(rest, depth + DEEPEST - 2, finding);
    }
  }
  const runner = Object.hasOwn(RUNNERS, name) ? RUNNERS[name] : undefined;
  if (!runner || (name === 'command' && /^-[vV]/.test(texts[0] ?? ''))) return;
  const rest = skipOptions(args, runner);
  if (rest.length > 0) readSimple(rest, depth + 1, finding);
}

function skipOptions(args: Word[], { options, words = 0, assignments }: (typeof RUNNERS)[string]): Word[] {
  const withValue = options.split(' ');
  let at = 0;
  for (; at < args.length; at += 1) {
    const { text } = args[at] as Word;
    if (text === '--') {
      at += 1;
      break;
    }
    if (text.startsWith('-') && text.length > 1) at += withValue.includes(text) ? 1 : 0;
    else if (!(assignments && isAssignment(args[at] as Word))) break;
  }
  return args.slice(at + words);
}

const isAssignment = ({ text }: Word) => /^[A-Za-z_][A-Za-z0-9_]*(\[[^\]]*\])?\+?=/.test(text);
