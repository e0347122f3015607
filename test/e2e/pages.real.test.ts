/** The commands in pages of the documentation that are not sessions: indented lines, run one after the other. */
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MAIN } from '../support/manager.ts';
import { type ManagerShell, startManagerShell } from '../support/manager-shell.ts';

const DOCS = join(import.meta.dirname, '../../docs');
/** What a page takes for granted: workers of these names, and files in the reader's folder. */
const SLEEP = '--wait -- sleep infinity';
const REPOSITORY = 'git init -q . && git -c user.name=A -c user.email=a@b commit -q --allow-empty -m first';

interface Page {
  file: string;
  /** Run before, in the folder of the reader. */
  before: string[];
  /** Programs that only the reader has, with others in place of them. */
  replaced?: [string, string][];
  atLeast: number;
}

const pages: Page[] = [
  {
    file: 'checkpoints.md',
    before: [
      `wm create --name fix ${SLEEP}`,
      `wm exec fix -- sh -c '${REPOSITORY} && echo changed > file'`,
      `${REPOSITORY} && mkdir copy`,
    ],
    atLeast: 7,
  },
  {
    file: 'cli.md',
    before: [`wm create --name blue --label team=blue ${SLEEP}`],
    replaced: [
      ['make test', 'true'],
      ['fish | source', 'fish | grep -q complete'],
    ],
    atLeast: 4,
  },
  {
    file: 'http.md',
    before: [`wm create --name builder ${SLEEP}`, 'echo "print(1)" > app.py'],
    replaced: [['npm test', 'true']],
    atLeast: 5,
  },
];

const readCommands = ({ file, replaced = [] }: Page) =>
  [...readFileSync(join(DOCS, file), 'utf8').matchAll(/^ {4}(\S.*)$/gm)].map(([, line = '']) =>
    replaced.reduce((text, [from, to]) => text.replace(from, to), line),
  );

/** `wm` as a program, so that `xargs` finds it too, in an empty folder. */
async function openFolder({ manager, bash }: ManagerShell) {
  const folder = await mkdtemp(join(tmpdir(), 'pages-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const program = join(folder, 'wm');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(program, 0o755);
  const shell = [
    `export PATH="${folder}:$PATH" WM_URL='${manager.url}' WM_TOKEN='${manager.token}'`,
    'unset -f wm',
    // An HTTP error is a failure.
    'curl() { command curl -sS --fail-with-body "$@"; }',
    `mkdir -p '${folder}/reader' && cd '${folder}/reader'`,
  ].join('\n');
  return (command: string) => bash(`${shell}\n${command}`);
}

test.each(pages)('the commands of docs/$file work', { timeout: 120_000 }, async (page) => {
  const run = await openFolder(await startManagerShell({ RUNTIME: 'process' }));
  for (const command of page.before) await run(command);
  const commands = readCommands(page);
  expect(commands.length).toBeGreaterThanOrEqual(page.atLeast);
  const failures: string[] = [];
  for (const command of commands)
    await run(command).catch((error: { code: number; stdout: string; stderr: string }) =>
      failures.push(`${command} exits with ${error.code}: ${`${error.stdout}${error.stderr}`.slice(-500)}`),
    );
  expect(failures).toEqual([]);
});
