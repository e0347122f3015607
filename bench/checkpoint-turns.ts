/**
 * What `checkpoint: {on: ["turn"]}` adds to the turns of a worker with 10,000 files and 200 MB.
 *
 * A scripted agent works for ten seconds per turn: ten times, it computes for about 0.2 s, rewrites one file, and waits for 0.8 s
 * as for a model. Each turn follows the one before at once, so the checkpoint of a turn is taken during the next. A worker
 * with checkpoints and one without alternate, so that the noise of the machine affects both, and the second of two turns counts. On the process runtime.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { connect, type WorkerHandle } from '../src/client/index.ts';
import { FILES } from './checkpoints.ts';
import { cpuSeconds } from './cpu-seconds.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, type Result, reported } from './result.ts';

const PAIRS = 5;
const STEPS = 10;
const GOAL_PERCENT = 3;
/** The kernel's USER_HZ. */
const TICKS_A_SECOND = 100;

/** Files of different folders, other ones in each turn. */
const AGENT = `
const { writeFileSync, readdirSync } = require('node:fs');
const { randomBytes, pbkdf2Sync } = require('node:crypto');
const lines = require('node:readline').createInterface({ input: process.stdin });
let turn = 0;
lines.on('line', async (line) => {
  if (JSON.parse(line).type !== 'prompt') return;
  turn += 1;
  for (let step = 0; step < ${STEPS}; step += 1) {
    pbkdf2Sync('a fixed amount of work', 'salt', 1800000, 32, 'sha256');
    const folder = 'd' + ((turn * ${STEPS} + step) % 100);
    const name = readdirSync(folder).sort()[turn];
    writeFileSync(folder + '/' + name, randomBytes(20000));
    await new Promise((resolve) => setTimeout(resolve, 800));
  }
  console.log(JSON.stringify({ type: 'turn_completed', result: 'done' }));
});`;

/** What the second of two turns took, and what both cost. */
interface Pair {
  second: number;
  cpu: number;
}

export async function benchCheckpointTurns({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  await bundleWrapper();
  const token = randomUUID();
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const env = { REDIS_URL: redisUrl, CELL: cell, RUNTIME: 'process', API_TOKEN: token };
  const manager = await startManager(env);
  const client = connect({ url: manager.url, token });
  const ids: string[] = [];
  const create = async (more: object): Promise<WorkerHandle> => {
    const spec = {
      agent_type: 'CUSTOM',
      protocol: 'json',
      runtime: 'process',
      stop_grace_seconds: 0,
    } as const;
    const command_line = [process.execPath, '-e', AGENT];
    const worker = await client.workers.create({ ...spec, command_line, ...more }, { wait: 'ready' });
    ids.push(worker.id);
    await worker.commands.run(FILES);
    return worker;
  };
  /** Two turns, and their checkpoints if the worker has them. */
  const run = async (worker: WorkerHandle, stored: () => Promise<void>): Promise<Pair> => {
    const wrapper = Number(await orchestrator.redis.hget(orchestrator.keys.status(worker.id), 'pid'));
    const cpu = async () => cpuSeconds(manager.process.pid) + (await cpuOfGroup(wrapper));
    const before = await cpu();
    await orchestrator.turn(worker.id, 'work');
    const second = await orchestrator.turn(worker.id, 'work');
    await stored();
    return { second, cpu: (await cpu()) - before };
  };
  try {
    const plain = await create({});
    const saved = await create({ checkpoint: { on: ['turn'], keep: 100 } });
    const store = join(manager.home, '.checkpoints', cell);
    let turns = 0;
    const lags: number[] = [];
    const stored = async () => {
      turns += 2;
      const ended = performance.now();
      while ((await client.checkpoints.list({ workerId: saved.id })).items[0]?.turns !== turns)
        await setTimeout(20);
      lags.push((performance.now() - ended) / 1000);
    };
    // The first checkpoint saves everything.
    await run(saved, stored);
    const whole = await storedBytes(store);
    lags.length = 0;
    const [bare, own]: Pair[][] = [[], []];
    for (let pair = 0; pair < PAIRS; pair += 1) {
      bare?.push(await run(plain, async () => {}));
      own?.push(await run(saved, stored));
    }
    const bytes = (await storedBytes(store)) - whole;
    const medianOf = (pairs: Pair[] = [], field: keyof Pair) => median(pairs.map((one) => one[field]));
    const [without, withOne] = [medianOf(bare, 'second'), medianOf(own, 'second')];
    const value = (withOne / without - 1) * 100;
    return [
      {
        name: 'turn of 10 s that changes 10 of 10,000 files, added by the checkpoint of the turn before',
        value,
        unit: '%',
        goal: `≤ ${GOAL_PERCENT}`,
        met: value <= GOAL_PERCENT,
        note: `${withOne.toFixed(0)} ms against ${without.toFixed(0)} ms without; median of ${PAIRS}`,
      },
      reported('from the end of that turn until its checkpoint is stored', median(lags), 's'),
      reported('CPU of that checkpoint', (medianOf(own, 'cpu') - medianOf(bare, 'cpu')) / 2, 's'),
      reported(
        'bytes that it adds to the store',
        bytes / (2 * PAIRS) / 1e6,
        'MB',
        `the first: ${(whole / 1e6).toFixed(0)} MB`,
      ),
    ];
  } finally {
    await orchestrator.delete(ids).catch(() => {});
    await manager.stop();
    await orchestrator.close(cell);
  }
}

/** User and system time of the processes of a group, and of their children that have ended, in seconds. */
async function cpuOfGroup(group: number | undefined): Promise<number> {
  let ticks = 0;
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
    const fields = stat.split(') ').at(-1)?.split(' ') ?? [];
    if (Number(fields[2]) !== group) continue;
    ticks += fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0);
  }
  return ticks / TICKS_A_SECOND;
}

/** Bytes of all files below a folder; a file with several names counts once. */
async function storedBytes(folder: string): Promise<number> {
  const found = new Map<number, number>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const { ino, size } = await stat(join(entry.parentPath, entry.name));
    found.set(ino, size);
  }
  return [...found.values()].reduce((sum, size) => sum + size, 0);
}

if (import.meta.main)
  console.table(await benchCheckpointTurns({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }));
