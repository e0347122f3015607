import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MODULE = new URL('../../../src/runtimes/process/remove-tree.ts', import.meta.url).href;
const NOBODY = 65_534;

test('a workspace with folders without write and search permission, as Go’s module cache has them, is deleted', async () => {
  const root = await mkdtemp(join(tmpdir(), 'wm-tree-'));
  // Root may do everything, so the manager of this test is another user.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(root, NOBODY, NOBODY);
  const become = isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
  const run = (...argv: string[]) => {
    const [program = '', ...args] = [...become, ...argv];
    return execFileSync(program, args, { stdio: 'pipe', env: { PATH: process.env.PATH } });
  };
  const tree = join(root, 'tree');
  run('sh', '-c', `mkdir -p ${tree}/a/b; : >${tree}/a/b/c; chmod 000 ${tree}/a/b; chmod 500 ${tree}/a`);
  run(process.execPath, '-e', `import('${MODULE}').then((it) => it.removeTree('${tree}'))`);
  expect(existsSync(tree)).toBe(false);
  await rm(root, { recursive: true });
});
