/** What is reported of a fetch that fails, with a stand-in for git. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fetchSource } from '../../../worker-base/boot/fetch-source.ts';
import type { Privileges } from '../../../worker-base/sandbox/privileges.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function fetchWith(script: string): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'wm-git-'));
  const workspace = mkdtempSync(join(tmpdir(), 'wm-source-'));
  onTestFinished(() => {
    for (const path of [folder, workspace]) rmSync(path, { recursive: true });
  });
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return fetchSource({
    source: { url: 'http://127.0.0.1:1/repository.git' },
    credential: undefined,
    privileges: { helperCommand: (argv: string[]) => argv } as Privileges,
    settings: {
      workspace,
      bodyId: undefined,
      inherited: { PATH: [folder, process.env.PATH].join(delimiter) },
    },
    signal: new AbortController().signal,
    log,
  });
}

const WHERE = 'The workspace could not be fetched from http://127.0.0.1:1/repository.git: ';

test.each([
  [
    'its last five lines, on one line',
    'for n in 1 2 3 4 5 6; do echo "  line $n" >&2; done; exit 128',
    'line 2 | line 3 | line 4 | line 5 | line 6',
  ],
  [
    'the reason of the server and the error',
    String.raw`printf 'remote: The repository is archived.\r\n\nfatal: unable to access\n' >&2; exit 128`,
    'remote: The repository is archived. | fatal: unable to access',
  ],
  ['its exit code, if it wrote nothing', 'exit 3', 'git ended with 3'],
])('of git, a failed fetch reports %s', async (_, script, expected) => {
  await expect(fetchWith(script)).rejects.toMatchObject({
    reason: 'WorkspaceSourceFailed',
    message: `${WHERE}${expected}`,
  });
});
