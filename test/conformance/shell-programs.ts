import { echoes, PRINTED, type Program, READS, TAKES_SECRETS, WRITES } from './subject.ts';

/** The file in a body's workspace that a program makes when it is ready. */
export const READY = 'ready';
const ready = `: >"$WORKSPACE_PATH/${READY}"`;

/** The command line of a program, for runtimes whose bodies are processes of this machine. */
export function shellProgram(program: Program, { sessions = true } = {}): string[] {
  const sh = (script: string) => ['/bin/sh', '-c', script];
  if (typeof program === 'object') return sh(`exit ${program.exits}`);
  switch (program) {
    case 'runs':
      return sh(`${ready}; exec sleep 300`);
    case 'ignoresSigterm':
      return sh(
        `trap '' TERM; ${sessions ? 'setsid ' : ''}sh -c '${ready}; exec sleep 300' & exec sleep 301`,
      );
    case 'oom':
      return [process.execPath, '-e', 'const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))'];
    case 'missingProgram':
      return ['/nowhere/program'];
    case 'prints':
      return sh(`echo '${PRINTED}'; exit 3`);
    case 'takesSecrets':
      return sh(TAKES_SECRETS);
    case 'writes':
      return sh(WRITES);
    case 'reads':
      return sh(READS);
    case 'echoes':
      return [
        process.execPath,
        '-e',
        echoes(`require('fs').writeFileSync(process.env.WORKSPACE_PATH + '/${READY}', '')`),
      ];
    case 'neverReads':
      return sh(`mkfifo -m 600 "$SECRETS_PIPE"; ${ready}; exec sleep 300`);
  }
}
