/** Completion in real shells, as a person would get it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import pLimit from 'p-limit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { getKeys } from '../../../src/store/keys.ts';
import { MAIN, managerEnv, newCell } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

const LONG = 60_000;
const execute = promisify(execFile);
const redisUrl = inject('redisUrl');
const cell = newCell();
const env = managerEnv({ redisUrl, cell });
const { wm } = wmOf({ redisUrl, cell });
const redis = new Redis(redisUrl);
const { names, workers, pools } = getKeys(cell);
let folder: string;
/** `npm test` installs the shells where it can. */
const missing = (shell: string) => !existsSync(`/usr/bin/${shell}`);
const why = (shell: string) => (missing(shell) ? `: skipped, because ${shell} is not installed` : '');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wm-completion-'));
  // The shell runs the program by its name.
  const program = `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`;
  await writeFile(join(folder, 'wm'), program);
  await chmod(join(folder, 'wm'), 0o755);
  await redis.hset(names, 'annotator', '0b0e7f3e-0000-4000-8000-000000000001');
  await redis.zadd(workers, 1, 'abc0e7f3-0000-4000-8000-000000000001');
  await redis.zadd(pools.pools, 1, 'jobs');
});
afterAll(async () => {
  await redis.del(names, workers, pools.pools);
  redis.disconnect();
  await rm(folder, { recursive: true, force: true });
});

/** What a shell prints for a script, with `wm` in its PATH. */
async function inShell(program: string, args: string[]): Promise<string[]> {
  const path = [folder, env.PATH].join(delimiter);
  const { stdout } = await execute(program, args, { cwd: folder, env: { ...env, PATH: path, HOME: folder } });
  return stdout.split('\n').filter(Boolean);
}

/** Bash passes the line and the cursor to the function that the script has registered. */
async function inBash(line: string): Promise<string[]> {
  const script = `
    source <(wm completion bash)
    COMP_LINE=$1 COMP_POINT=\${#1}
    read -ra COMP_WORDS <<< "$1"
    [[ $(complete -p wm) == *'-F _wm wm' ]] && _wm
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return inShell('bash', ['--norc', '-c', script, 'bash', line]);
}

test('verbs, options, values and names are completed in bash', { timeout: LONG }, async () => {
  const lines: [string, string[]][] = [
    ['wm resta', ['restart']],
    ['wm pools d', ['delete']],
    ['wm ps --wat', ['--watch']],
    ['wm ps -o y', ['yaml']],
    ['wm ps --output=y', ['yaml']],
    ['wm logs -f anno', ['annotator']],
    ['wm status abc', ['abc0e7f3-000']],
    ['wm logs pool/', ['pool/jobs']],
    ['wm scale ', ['jobs']],
    ['wm run -- l', []],
  ];
  // A name that takes more than a second and a half is left out.
  const limit = pLimit(2);
  const found = await Promise.all(lines.map(([line]) => limit(async () => [line, await inBash(line)])));
  expect(found).toEqual(lines);
  expect(await inBash('wm ')).toEqual(expect.arrayContaining(['create', 'run', 'ps', 'completion']));
  expect((await wm('completion', 'words', '--', 'ps', '-')).out).toMatch(
    /^--watch\tprint changes until Ctrl-C$/m,
  );
});

test.skipIf(missing('fish'))(
  `names and descriptions are completed in fish${why('fish')}`,
  { timeout: LONG },
  async () => {
    const complete = (line: string) =>
      inShell('fish', ['--no-config', '-c', `wm completion fish | source; complete -C '${line}'`]);
    expect(await complete('wm restar')).toEqual(['restart\treplace the body of a worker, or start it again']);
    expect(await complete('wm logs -f anno')).toEqual(['annotator']);
  },
);

test.skipIf(missing('zsh'))(
  `names are completed in zsh, at its own prompt${why('zsh')}`,
  { timeout: LONG },
  async () => {
    // A terminal of its own, in which the key is pressed.
    const script = `
    zmodload zsh/zpty
    zpty shell "PS1='> ' zsh -f -i"
    zpty -w shell "autoload -Uz compinit && compinit -u -D; source <(wm completion zsh); echo load''ed"
    while zpty -r shell line; do [[ $line == *loaded* ]] && break; done
    zpty -w -n shell $'wm logs -f anno\\t'
    while zpty -r shell line '*annotator*'; do print -r -- found; break; done
    zpty -d shell`;
    expect(await inShell('zsh', ['-f', '-c', script])).toEqual(['found']);
  },
);
