/** As one word for a POSIX shell. */
export function quoteShellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Program and arguments as a command line for a POSIX shell. */
export const formatCommandLine = (argv: string[]): string => argv.map(quoteShellWord).join(' ');

/** What a POSIX shell takes one quoted word for. */
export function unquoteShellWord(word: string): string {
  const parts = word.matchAll(/'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^'"\\]+)/g);
  return [...parts]
    .map(([, single, double, escaped, plain]) =>
      double === undefined ? (single ?? escaped ?? plain ?? '') : double.replace(/\\([$`"\\\n])/g, '$1'),
    )
    .join('');
}
