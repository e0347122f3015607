/** As one word for a POSIX shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Program and arguments as a command line for a POSIX shell. */
export const commandLine = (argv: string[]): string => argv.map(shellWord).join(' ');
