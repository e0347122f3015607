import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

let root: string;
let env: NodeJS.ProcessEnv;

/** A checkout with a lock file and an npm that notes its arguments and installs nothing. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wm-bootstrap-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await cp(join(import.meta.dirname, '../../scripts/bootstrap.mjs'), join(root, 'scripts/bootstrap.mjs'));
  await writeFile(join(root, 'package-lock.json'), '{}');
  await mkdir(join(root, 'tools'));
  const npm = `#!/bin/sh\necho "npm $*" >&2\n[ -e refuse ] && exit 1\nmkdir -p node_modules && : > node_modules/.package-lock.json\n`;
  await writeFile(join(root, 'tools/npm'), npm);
  await chmod(join(root, 'tools/npm'), 0o755);
  env = { ...process.env, PATH: `${join(root, 'tools')}${delimiter}${process.env.PATH}` };
});

const script = (code: string) => writeFile(join(root, 'script.ts'), code);

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const argv = [join(root, 'scripts/bootstrap.mjs'), ...args];
    execFile(process.execPath, argv, { cwd: root, env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

test('installs once, then runs TypeScript with the arguments and the exit code of the script', async () => {
  await script(
    'const args: string[] = process.argv.slice(2); console.log(args.join("|")); process.exitCode = 7;',
  );
  const first = await run('script.ts', '--runtime', 'docker');
  expect(first).toMatchObject({ code: 7, out: '--runtime|docker\n' });
  expect(first.err).toContain('npm install');
  expect(await run('script.ts')).toMatchObject({ code: 7, err: expect.not.stringContaining('npm') });
});

test('installs again after the lock file has changed', async () => {
  await script('console.log("ran")');
  await run('script.ts');
  const later = new Date(Date.now() + 60_000);
  await utimes(join(root, 'package-lock.json'), later, later);
  expect(await run('script.ts')).toMatchObject({ out: 'ran\n', err: expect.stringContaining('has changed') });
});

test('does not run the script when the installation fails, and says what to do', async () => {
  await script('console.log("ran")');
  await writeFile(join(root, 'refuse'), '');
  expect(await run('script.ts')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('to see why'),
  });
});

test('prints its usage', async () => {
  expect(await run()).toMatchObject({ code: 2, err: expect.stringContaining('usage') });
});

test('puts the packages first on the PATH', async () => {
  await script('console.log((process.env.PATH ?? "").split(":")[0])');
  expect((await run('script.ts')).out).toBe(`${join(root, 'node_modules/.bin')}\n`);
});

test('passes signals on, and answers with the end of the script', async () => {
  await script(
    'process.on("SIGTERM", () => process.exit(5)); console.log("up"); setInterval(() => {}, 1000);',
  );
  const child = spawn(process.execPath, [join(root, 'scripts/bootstrap.mjs'), 'script.ts'], {
    cwd: root,
    env,
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(5);
});
