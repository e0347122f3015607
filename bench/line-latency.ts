/**
 * The time of one line from an agent's stdout to a blocked reader of the output stream, at 1,000 lines per second. The
 * p99 is the median over windows of half a second, so that one pause of a shared machine does not determine it. For
 * comparison, the p99 of all lines, and of the same agent read through a bare pipe in the same run, are reported as
 * well.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { getKeys } from '../src/store/keys.ts';
import { quantile, type Result } from './result.ts';
import { createTimedAgent, toLineTimes } from './timed-agent.ts';

const LINES = 6000;
const LINES_A_SECOND = 1000;
/** The first lines warm up the compilers of the agent, the wrapper and the reader. */
const WARM_UP = 1000;
const WINDOW = 500;

const AGENT = createTimedAgent(LINES, LINES_A_SECOND);

/** Measures; leaves nothing in Redis or on the disk. */
export async function benchLineLatency({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  const dir = await mkdtemp(join(tmpdir(), 'line-latency-'));
  const id = randomUUID();
  const cell = `bench-${id.slice(0, 8)}`;
  const keys = getKeys(cell);
  const reader = new Redis(redisUrl);
  const { path } = await bundleWrapper();
  const spec = { agent_type: 'CUSTOM', command_line: [process.execPath, '-e', AGENT], stop_grace_seconds: 2 };
  await reader.hset(keys.desired(id), 'spec', JSON.stringify(spec));
  const env = {
    PATH: process.env.PATH,
    WORKER_ID: id,
    WORKER_INCARNATION: '1',
    WORKER_CELL: cell,
    WORKSPACE_PATH: join(dir, 'ws'),
    REDIS_URL: redisUrl,
  };
  const body = spawn(process.execPath, [path], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => body.once('exit', resolve));
  try {
    const times = (await read(reader, keys.output(id))).slice(WARM_UP);
    const windows = Array.from({ length: times.length / WINDOW }, (_, at) =>
      times.slice(at * WINDOW, (at + 1) * WINDOW),
    );
    const p50 = quantile(times, 0.5);
    const p99 = quantile(
      windows.map((window) => quantile(window, 0.99)),
      0.5,
    );
    const bare = (await readPipe()).slice(WARM_UP);
    const own = `bare pipe: p50 ${quantile(bare, 0.5).toFixed(2)}, p99 ${quantile(bare, 0.99).toFixed(1)} ms`;
    const note = `all ${times.length} lines: p99 ${quantile(times, 0.99).toFixed(1)} ms; ${own}`;
    return [
      { name: 'line to reader, p50', value: p50, unit: 'ms', goal: '< 2', met: p50 < 2, note: own },
      { name: 'line to reader, p99', value: p99, unit: 'ms', goal: '< 20', met: p99 < 20, note },
    ];
  } finally {
    body.kill('SIGTERM');
    await ended;
    await reader.del(keys.desired(id), keys.input(id), keys.output(id), keys.heartbeat(id));
    reader.disconnect();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Milliseconds of each line, in order. */
async function read(reader: Redis, key: string): Promise<number[]> {
  const times: number[] = [];
  for (let last = '0'; times.length < LINES; ) {
    const reply = await reader.xread('BLOCK', 10_000, 'STREAMS', key, last);
    if (!reply) throw new Error('the wrapper sent nothing for 10 s');
    for (const [id, fields] of reply[0]?.[1] ?? []) {
      last = id;
      const { type, content } = JSON.parse(fields[1] ?? '') as { type: string; content: string };
      if (type === 'stdout') times.push(...toLineTimes(content));
    }
  }
  return times;
}

/** The same without wrapper and Redis. */
async function readPipe(): Promise<number[]> {
  const times: number[] = [];
  const agent = spawn(process.execPath, ['-e', AGENT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  for await (const line of createInterface(agent.stdout)) {
    times.push((Number(process.hrtime.bigint() / 1000n) - Number(line)) / 1000);
    if (times.length === LINES) break;
  }
  agent.kill('SIGTERM');
  await ended;
  return times;
}

if (import.meta.main)
  console.table(await benchLineLatency({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }));
