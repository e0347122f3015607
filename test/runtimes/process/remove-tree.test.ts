import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MODULE = join(import.meta.dirname, '../../../src/runtimes/process/remove-tree.ts');
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
  // The checkout may be in a folder that only root can enter, such as /root.
  const [node, module] = [join(root, 'node'), join(root, 'remove-tree.mts')];
  await copyFile(process.execPath, node);
  await copyFile(MODULE, module);
  const tree = join(root, 'tree');
  run('sh', '-c', `mkdir -p ${tree}/a/b; : >${tree}/a/b/c; chmod 000 ${tree}/a/b; chmod 500 ${tree}/a`);
  run(node, '-e', `import('${module}').then((it) => it.removeTree('${tree}'))`);
  expect(existsSync(tree)).toBe(false);
  await rm(root, { recursive: true });
});
