/**
 * The time of a body from exec to `ready` in Redis: the bundle compared with the same program run from its own files
 * and node_modules, and with a bare `node -e 0`, in alternation, so that load on the machine affects all equally.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';
import { Redis } from 'ioredis';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { getKeys } from '../src/store/keys.ts';
import type { Result } from './result.ts';

const ROUNDS = 30;
const GOAL = 0.8;
const ROOT = join(import.meta.dirname, '..');

/** Measures; leaves nothing in Redis or on the disk. */
export async function benchWrapperBoot({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  const dir = await mkdtemp(join(tmpdir(), 'wrapper-boot-'));
  const reader = new Redis(redisUrl);
  try {
    const bundle = (await bundleWrapper()).path;
    const plain = await transpile(dir);
    const times = { bundle: [] as number[], plain: [] as number[], node: [] as number[] };
    for (let round = -2; round < ROUNDS; round += 1) {
      const one = {
        bundle: await boot(reader, redisUrl, bundle, dir),
        plain: await boot(reader, redisUrl, plain, dir),
        node: await bare(),
      };
      // The first rounds warm the page cache.
      if (round >= 0) for (const name of ['bundle', 'plain', 'node'] as const) times[name].push(one[name]);
    }
    const [own, unbundled, node] = [median(times.bundle), median(times.plain), median(times.node)];
    const ratio = median(times.bundle.map((time, at) => time / (times.plain[at] ?? 1)));
    const spread = `${ms(own)} against ${ms(unbundled)} ms, ${ROUNDS} pairs`;
    return [
      {
        name: 'wrapper boot, bundle / unbundled',
        value: ratio,
        unit: '×',
        goal: `≤ ${GOAL}`,
        met: ratio <= GOAL,
        note: spread,
      },
      {
        name: 'wrapper boot / node -e 0',
        value: own / node,
        unit: '×',
        goal: 'reported',
        met: true,
        note: `node -e 0: ${ms(node)} ms`,
      },
      { name: 'wrapper boot', value: own, unit: 'ms', goal: 'reported', met: true },
    ];
  } finally {
    reader.disconnect();
    await rm(dir, { recursive: true, force: true });
  }
}

/** The program as JavaScript files, one for each source file, with the packages from node_modules. */
async function transpile(dir: string): Promise<string> {
  const folder = join(dir, 'plain');
  // Whole folders, so that new imports are found; unused files are not loaded.
  const folders = ['worker-base', ...['agents', 'model', 'queue'].map((name) => join('src', name))];
  const ours = await Promise.all(
    folders.map(async (name) =>
      (await readdir(join(ROOT, name), { recursive: true })).map((file) => join(name, file)),
    ),
  );
  const sources = ours.flat().filter((name) => name.endsWith('.ts'));
  const keys = ['keys.ts', 'pool-keys.ts'].map((name) => join('src', 'store', name));
  for (const file of [...sources, ...keys]) {
    const { code } = await transform(await readFile(join(ROOT, file), 'utf8'), {
      loader: 'ts',
      format: 'esm',
    });
    const target = join(folder, file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, code.replace(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'worker-base', 'main.js');
}

/** One start; milliseconds until a blocked reader receives `ready`. */
export async function boot(reader: Redis, redisUrl: string, program: string, dir: string): Promise<number> {
  const id = randomUUID();
  const cell = `bench-${id.slice(0, 8)}`;
  const keys = getKeys(cell);
  await reader.hset(
    keys.desired(id),
    'spec',
    JSON.stringify({ agent_type: 'CUSTOM', command_line: ['cat'], stop_grace_seconds: 2 }),
  );
  const env = {
    PATH: process.env.PATH,
    WORKER_ID: id,
    WORKER_INCARNATION: '1',
    WORKER_CELL: cell,
    WORKSPACE_PATH: join(dir, 'ws'),
    REDIS_URL: redisUrl,
  };
  await mkdir(join(dir, 'ws'), { recursive: true });
  const ready = reader.xread('BLOCK', 20_000, 'STREAMS', keys.output(id), '0');
  const since = performance.now();
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const reply = await ready;
  const took = performance.now() - since;
  child.kill('SIGTERM');
  await ended;
  await reader.del(keys.desired(id), keys.input(id), keys.output(id), keys.heartbeat(id));
  if (!reply) throw new Error('the wrapper was not ready in 20 s');
  return took;
}

export async function bare(): Promise<number> {
  const since = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  return performance.now() - since;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function ms(value: number): string {
  return value.toFixed(0);
}

if (import.meta.main)
  console.table(await benchWrapperBoot({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }));
