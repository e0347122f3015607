/** The npm package on a machine without the checkout: the program, its bodies, and the SDK. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { dockerAt } from '../support/docker.ts';
import { cleanCell, newCell } from '../support/manager.ts';
import { type Installed, installNode, installPackage } from './installed.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
/** Bytes of the archive: twice what it had when this was written. */
const LARGEST = 1_500_000;

let installed: Installed;
beforeAll(async () => {
  installed = await installPackage();
}, 120_000);
afterAll(() => installed.remove());

test('the package contains JavaScript and types only, and is small', () => {
  const { files, size } = installed;
  const paths = files.map(({ path }) => path);
  expect(paths.filter((path) => path.endsWith('.ts'))).toEqual(['dist/lib/client.d.ts']);
  expect(paths.filter((path) => /(^|\/)(test|bench|scripts|node_modules)\/|\.test\./.test(path))).toEqual([]);
  expect(size).toBeLessThan(LARGEST);
});

test('its lines are short, because Node shows the line of an error that nothing catches', () => {
  const lib = join(installed.folder, 'node_modules', 'worker-manager', 'dist', 'lib');
  const lines = readdirSync(lib)
    .filter((name) => name.endsWith('.js'))
    .flatMap((name) => readFileSync(join(lib, name), 'utf8').split('\n'));
  expect(lines.length).toBeGreaterThan(1000);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1000);
});

test('both names of the program run', async () => {
  const { version } = JSON.parse((await installed.run(['wm', 'version', '-o', 'json'], {})).stdout) as {
    version: string;
  };
  const { stdout } = await installed.run(['worker-manager', '--version']);
  expect(stdout.trim()).toBe(version);
});

test('an older Node gets a reason', async () => {
  const old = "Object.defineProperty(process.versions, 'node', { value: '20.19.0' });";
  const bin = join(installed.folder, 'node_modules', 'worker-manager', 'dist', 'lib', 'wm.js');
  const run = installed.run(['node', '--import', `data:text/javascript,${encodeURIComponent(old)}`, bin]);
  await expect(run).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('worker-manager needs Node 22.12 or newer; this is Node 20.19.0.'),
  });
});

/** Starts the installed manager; `wm` and programs find it by the same environment. */
async function serve(more: Record<string, string>) {
  const cell = newCell();
  const redisUrl = inject('redisUrl');
  const env = { REDIS_URL: redisUrl, CELL: cell, HTTP_PORT: '0', LEASE_SECONDS: '1', ...more };
  const manager = await installed.serve(env);
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ redisUrl, cell, home: join(installed.home, '.local', 'state', 'worker-manager') });
  });
  return { env, wm: (...args: string[]) => installed.run(['wm', ...args], env) };
}

test('a manager runs a direct worker', async () => {
  const { wm } = await serve({ RUNTIME: 'process' });
  const created = await wm('create', '--wait', '--', 'sh', '-c', 'echo "hello from $WORKER_ID"; sleep 60');
  const id = created.stdout.trim();
  await expect.poll(async () => (await wm('logs', id)).stdout).toContain(`hello from ${id}`);
  const workers = JSON.parse((await wm('ps', '-o', 'json')).stdout) as object[];
  expect(workers).toMatchObject([{ worker_id: id, status: 'RUNNING', runtime: 'process' }]);
  await wm('delete', '--wait', id);
});

test('a direct worker keeps all its parts when an upgrade replaces the package', async () => {
  const { env } = await serve({ RUNTIME: 'process' });
  await installed.run(['wm', 'create', '--name', 'old', '--wait', '--', 'sleep', '300'], env);
  const dist = join(installed.folder, 'node_modules', 'worker-manager', 'dist');
  const files = JSON.parse(await readFile(join(dist, 'wrapper.json'), 'utf8')) as string[];
  const gone = (name: string) => join(dist, `${name}.gone`);
  onTestFinished(async () => {
    for (const name of files) await rename(gone(name), join(dist, name));
  });
  for (const name of files) await rename(join(dist, name), gone(name));
  // Each is loaded by the body with its first use.
  expect((await installed.run(['wm', 'exec', 'old', '--', 'echo', 'hello'], env)).stdout).toBe('hello\n');
  await installed.run(['wm', 'cp', join(dist, 'wrapper.json'), 'old:copy'], env);
  await installed.run(['wm', 'checkpoint', 'old'], env);
  const program = `
    const { connect } = await import('${join(dist, 'lib', 'client.js')}');
    const worker = await connect().workers.get('old');
    const terminal = await worker.pty.create({ command: ['sh', '-c', 'exit 7'] });
    console.log((await terminal.wait()).exit_code);`;
  const { stdout } = await installed.run(['node', '--input-type=module', '--eval', program], env);
  expect(stdout.trim()).toBe('7');
}, 60_000);

test('an agent that starts wm mcp has the tools', async () => {
  const { env } = await serve({ RUNTIME: 'process' });
  const { REDIS_URL: _, ...others } = env;
  const client = new Client({ name: 'test', version: '1' });
  onTestFinished(() => client.close());
  const own = { PATH: installed.path, HOME: installed.home, ...others };
  await client.connect(new StdioClientTransport({ command: 'wm', args: ['mcp'], env: own }));
  const worker = { agent_type: 'CUSTOM', command_line: ['cat'], name: 'packed' };
  const call = async (name: string, args: object) =>
    JSON.stringify(await client.callTool({ name, arguments: { ...args } }));
  expect(await call('create', worker)).toContain('\\"ready\\":true');
  expect(await call('exec', { worker: 'packed', shell: 'echo from $((1 + 1))' })).toContain('from 2');
  expect(await call('delete', { worker: 'packed' })).toContain('\\"deleted\\":true');
});

test('a manager builds an image and runs a Docker worker of it', { timeout: 120_000 }, async () => {
  const host = inject('dockerHost');
  const docker = dockerAt(host);
  // Another name of the base makes another image, whose layers the engine has already.
  const base = { repo: 'worker-test-base', tag: randomUUID() };
  const name = `${base.repo}:${base.tag}`;
  await docker.getImage(inject('baseImage')).tag(base);
  let image: string | undefined;
  const env = {
    RUNTIME: 'docker',
    DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host,
    WORKER_BASE_IMAGE: name,
    WORKER_REDIS_URL: inject('bodyRedisUrl'),
  };
  onTestFinished(async () => {
    if (image) await docker.getImage(image).remove();
    await docker.getImage(name).remove();
  });
  const { wm } = await serve(env);
  const { stdout } = await wm(
    'create',
    '--wait',
    '--timeout',
    '90',
    '--',
    'sh',
    '-c',
    'echo "in $0"; sleep 60',
  );
  const id = stdout.trim();
  await expect.poll(async () => (await wm('logs', id)).stdout).toContain('in sh');
  const [body] = await docker.listContainers({ filters: { label: [`worker-manager.worker-id=${id}`] } });
  image = body?.Image;
  expect(image).toMatch(/^worker:[0-9a-f]{12}$/);
  expect(image).not.toBe(inject('image'));
  await wm('delete', '--wait', id);
});

test('the oldest supported Node runs a manager, its bodies and the SDK', {
  timeout: 120_000,
}, async (context) => {
  const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const oldest = `${engines.node.replace('>=', '')}.0`;
  const node = await installNode(installed.folder, oldest);
  if ('error' in node) {
    console.error(`Not tested with Node ${oldest}: ${node.error}`);
    return context.skip(node.error);
  }
  const PATH = `${node.bin}:${installed.path}`;
  expect((await installed.run(['node', '--version'], { PATH })).stdout.trim()).toBe(`v${oldest}`);
  const { wm, env } = await serve({ RUNTIME: 'process', PATH });
  // Its parent is the wrapper.
  const print = 'readlink /proc/$PPID/exe; sleep 60';
  const id = (await wm('create', '--wait', '--', 'sh', '-c', print)).stdout.trim();
  await expect
    .poll(async () => (await wm('logs', id)).stdout, { timeout: 20_000 })
    .toContain(join(node.bin, 'node'));
  const file = join(installed.folder, 'oldest.mjs');
  await writeFile(
    file,
    `import { connect } from 'worker-manager';
for await (const worker of connect().workers.list()) console.log(process.version, worker.id);`,
  );
  expect((await installed.run(['node', file], env)).stdout.trim()).toBe(`v${oldest} ${id}`);
  await wm('delete', '--wait', id);
});

/** Prints every module that is loaded, except for Node's own. */
const TRACE = `import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    if (!url.startsWith('node:')) console.error('loaded ' + url);
    return next(url, context);
  },
});`;

const TRACED = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(TRACE)}` };

/** The names of the chunks that were loaded. */
const getLoaded = (trace: string) =>
  trace
    .split('\n')
    .filter((line) => line.startsWith('loaded file:'))
    .map((line) => /dist\/lib\/([a-z]+)[^/]*\.js$/.exec(line)?.[1] ?? line);

test('wm ps loads three files, and no client of Redis if the manager answers', async () => {
  const server = createServer(({ url }, response) => {
    const health = { checks: { leadership: { ok: true, message: 'leader' } } };
    const items = url?.startsWith('/v1/workers') ? [{ worker_id: 'a-worker', status: 'RUNNING' }] : [];
    response.end(JSON.stringify(url === '/healthz' ? health : { items, next_cursor: null }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { stdout, stderr } = await installed.run(['wm', 'ps', '-q', '--no-trunc'], {
    WM_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...TRACED,
  });
  expect(stdout.trim()).toBe('a-worker');
  expect(getLoaded(stderr)).toEqual(['wm', 'main', 'core']);
});

test('without REDIS_URL, a manager has a Redis of its own', async () => {
  const env = { CELL: newCell(), HTTP_PORT: '0', RUNTIME: 'process' };
  const manager = await installed.serve(env);
  onTestFinished(() => manager.stop());
  const wm = (...args: string[]) => installed.run(['wm', ...args], env);
  const id = (await wm('create', '--wait', '--', 'sleep', '60')).stdout.trim();
  const { stdout, stderr } = await installed.run(['wm', 'ps', '-q', '--no-trunc'], { ...env, ...TRACED });
  expect(stdout.trim()).toBe(id);
  // The manager answered, so Redis was not read.
  expect(getLoaded(stderr)).toEqual(['wm', 'main', 'core']);
  await wm('delete', '--wait', id);
  await manager.stop();
  await wm('dismantle');
});

/** Compiles a program in the folder of the installation, and returns the errors. */
async function compile(name: string): Promise<string> {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['esnext', 'dom'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
  };
  const config = join(installed.folder, 'tsconfig.json');
  await writeFile(config, JSON.stringify({ compilerOptions, files: [name] }));
  // tsc prints errors on stdout.
  return installed.run(['node', TSC, '-p', config]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

/** The TypeScript blocks of a page as one program, type-checked and run in the installed project. */
async function runPage(page: string, replacements: [string, string][], env: Record<string, string>) {
  let program = [...(await readFile(join(ROOT, page), 'utf8')).matchAll(/```ts\n(.*?)```/gs)]
    .map(([, block]) => block)
    .join('');
  for (const [written, used] of replacements) {
    expect(program).toContain(written);
    program = program.replace(written, used);
  }
  await writeFile(join(installed.folder, 'page.mts'), program);
  expect(await compile('page.mts')).toBe('');
  return (await installed.run(['node', join(installed.folder, 'page.mjs')], env)).stdout.split('\n');
}

test('the programs of docs/sdk-typescript.md, of the sandbox and of the README run', {
  timeout: 60_000,
}, async () => {
  const { env } = await serve({ RUNTIME: 'process' });
  const agent = join(ROOT, 'examples', 'agent.mjs');
  const lines = await runPage(
    'docs/sdk-typescript.md',
    [
      ['/path/to/agent.mjs', agent],
      ['/path/to/add.py', join(ROOT, 'test', 'client', 'handlers', 'add.py')],
      ['redis://127.0.0.1:6379', env.REDIS_URL],
      ["cell: 'default'", `cell: '${env.CELL}'`],
    ],
    env,
  );
  expect(lines[0]).toMatch(/^[0-9a-f-]{36} RUNNING$/);
  for (const line of ['turn_completed hello', 'hello', '5', '2', '4', '6', 'not_found 404 undefined'])
    expect(lines).toContain(line);
  // Without Claude Code and its key: an agent that runs the prompt as a command.
  const claude = "agent_type: 'CLAUDE', allowed_commands: ['git'], secrets: ['ANTHROPIC_API_KEY']";
  const custom = `agent_type: 'CUSTOM', protocol: 'json', command_line: ['node', '${agent}']`;
  const printed = await runPage('README.md', [[claude, custom]], env);
  expect(printed.join('\n')).toMatch(/^tool_use What does this project do\?$/m);
  const sandbox = await runPage('docs/how-to/sandbox.md', [], env);
  expect(sandbox[0]).toBe('HELLO');
  expect(sandbox[1]).toMatch(/^hello http:\/\//);
});

test('the SDK can be imported with its types, and nothing else can', async () => {
  await writeFile(
    join(installed.folder, 'consumer.mts'),
    `import { connect, ManagerError } from 'worker-manager';
const manager = connect({ url: 'http://127.0.0.1:1', token: 'none', retries: 0 });
// @ts-expect-error The types are not any.
connect({ address: 1 });
const error: unknown = await manager.pools.list().catch((thrown: unknown) => thrown);
console.log(error instanceof ManagerError ? error.code : 'another error');
`,
  );
  expect(await compile('consumer.mts')).toBe('');
  const { stdout } = await installed.run(['node', join(installed.folder, 'consumer.mjs')]);
  expect(stdout.trim()).toBe('unavailable');
  for (const path of ['dist/lib/client.js', 'src/main.ts', 'dist/wrapper.mjs']) {
    const file = join(installed.folder, 'deep.mjs');
    await writeFile(file, `await import('worker-manager/${path}')`);
    await expect(installed.run(['node', file])).rejects.toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/);
  }
  const file = join(installed.folder, 'own.mjs');
  await writeFile(
    file,
    `import own from 'worker-manager/package.json' with { type: 'json' }; console.log(own.name)`,
  );
  expect((await installed.run(['node', file])).stdout.trim()).toBe('worker-manager');
});
