/** How long one line takes from an agent's stdout to a blocked reader of the output stream, at 1,000 lines a second. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { keysOf } from '../src/store/keys.ts';
import type { Result } from './wrapper-boot.ts';

const LINES = 5000;
const LINES_A_SECOND = 1000;
/** The first lines warm the compilers of the agent, the wrapper and the reader. */
const WARM_UP = 1000;

/** Writes the time at which it writes, in microseconds of a clock that all processes of the machine share. */
const AGENT = `
let sent = 0;
const begin = process.hrtime.bigint();
(function tick() {
  const due = Number(process.hrtime.bigint() - begin) / 1e9 * ${LINES_A_SECOND};
  while (sent < due && sent < ${LINES}) { process.stdout.write(process.hrtime.bigint() / 1000n + '\\n'); sent += 1; }
  if (sent < ${LINES}) setTimeout(tick, 1); else process.stdin.resume();
})();`;

/** Measures; leaves nothing in Redis or on the disk. */
export async function run({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  const dir = await mkdtemp(join(tmpdir(), 'line-latency-'));
  const id = randomUUID();
  const cell = `bench-${id.slice(0, 8)}`;
  const keys = keysOf(cell);
  const reader = new Redis(redisUrl);
  const { path } = await bundleWrapper();
  const spec = { agent_type: 'CUSTOM', command_line: [process.execPath, '-e', AGENT], stop_grace_seconds: 2 };
  await reader.hset(keys.desired(id), 'spec', JSON.stringify(spec));
  const env = {
    PATH: process.env.PATH,
    WORKER_ID: id,
    WORKER_CELL: cell,
    WORKSPACE_PATH: join(dir, 'ws'),
    REDIS_URL: redisUrl,
  };
  const body = spawn(process.execPath, [path], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => body.once('exit', resolve));
  try {
    const times = (await read(reader, keys.output(id))).slice(WARM_UP).sort((a, b) => a - b);
    const at = (share: number) => (times[Math.floor(times.length * share)] ?? Number.NaN) / 1000;
    const note = `${times.length} lines at ${LINES_A_SECOND} lines/s`;
    return [
      { name: 'line to reader, p50', value: at(0.5), unit: 'ms', goal: '< 2', met: at(0.5) < 2, note },
      { name: 'line to reader, p99', value: at(0.99), unit: 'ms', goal: '< 20', met: at(0.99) < 20, note },
    ];
  } finally {
    body.kill('SIGTERM');
    await ended;
    await reader.del(keys.desired(id), keys.input(id), keys.output(id), keys.heartbeat(id));
    reader.disconnect();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Microseconds of each line, in order. */
async function read(reader: Redis, key: string): Promise<number[]> {
  const times: number[] = [];
  for (let last = '0'; times.length < LINES; ) {
    const reply = await reader.xread('BLOCK', 10_000, 'STREAMS', key, last);
    if (!reply) throw new Error('the wrapper has sent nothing for 10 s');
    const now = Number(process.hrtime.bigint() / 1000n);
    for (const [id, fields] of reply[0]?.[1] ?? []) {
      last = id;
      const { type, content } = JSON.parse(fields[1] ?? '') as { type: string; content: string };
      if (type === 'stdout') for (const line of content.split('\n')) times.push(now - Number(line));
    }
  }
  return times;
}

if (import.meta.main)
  console.table(await run({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }));
