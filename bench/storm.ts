/**
 * A storm of starts: many workers are created at once, while a running worker keeps printing. Measured: whether all
 * become RUNNING with their first body (or wait as Queued because memory is short), the latency of a line of the
 * running worker, whether the manager keeps its lease and answers `/livez`, and how much memory remains free.
 *
 * `node bench/storm.ts 5000` is the large one: it deletes a queued worker and some running ones, and checks which start
 * next.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { readMachineMemory } from '../src/runtimes/machine-memory.ts';
import { Store } from '../src/store/index.ts';
import { freePort } from '../test/support/free-port.ts';
import { startLivezProbe } from './livez-probe.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { quantile, type Result, reported } from './result.ts';

const WORKERS = 300;
/** If no further worker becomes RUNNING for this time, as many run as fit. */
const SETTLED_MS = 20_000;
const LONGEST_MS = 1_500_000;
const FIELDS = { command_line: ['cat'], stop_grace_seconds: 2, keep_finished_seconds: 0 };
/** Prints the current time, 50 times per second. */
const PRINTER = [process.execPath, '-e', 'setInterval(() => console.log(Date.now()), 20)'];
const LINE_MS = 50;
const LIVEZ_MS = 100;
const LIVEZ_EVERY_MS = 100;
const FREE_SHARE = 0.1;

export async function benchStorm({
  redisUrl,
  workers = WORKERS,
}: {
  redisUrl: string;
  workers?: number;
}): Promise<Result[]> {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const port = await freePort();
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const store = new Store(orchestrator.redis as never, cell);
  const env = { REDIS_URL: redisUrl, CELL: cell, RUNTIME: 'process', HTTP_PORT: String(port) };
  const manager = await startManager({ ...env, LEASE_SECONDS: '10' });
  const watching = new AbortController();
  try {
    const printer = orchestrator.create({ ...FIELDS, command_line: PRINTER });
    await orchestrator.running(printer);
    const epoch = await orchestrator.redis.get(store.keys.epoch);
    const livez = startLivezProbe(`http://127.0.0.1:${port}`, LIVEZ_EVERY_MS);
    const free = watchMemory(watching.signal);
    const began = performance.now();
    const from = Date.now();
    const ids = Array.from({ length: workers }, () => orchestrator.create(FIELDS));
    const end = await untilSettled(store, workers + 1);
    const took = (performance.now() - began) / 1000;
    const lines = await latencies(orchestrator, printer, from);
    watching.abort();
    const again = end.filter(({ incarnation, restarts }) => incarnation > 1 || restarts > 0).length;
    const running = end.filter(({ status }) => status === 'RUNNING').length - 1;
    const queued = end.filter(({ phase }) => phase === 'queued');
    const p99 = quantile(lines, 0.99);
    const answers = await livez.end();
    const slowest = Math.max(...answers);
    const least = Math.min(...(await free));
    const kept = (await orchestrator.redis.get(store.keys.epoch)) === epoch;
    const all = running + queued.length === workers && again === 0;
    const results: Result[] = [
      {
        name: `${workers} direct workers declared at once, RUNNING`,
        value: running,
        unit: 'workers',
        goal: 'all that fit, first bodies',
        met: all,
        note: `${queued.length} Queued, ${again} by a second body, in ${took.toFixed(0)} s`,
      },
      {
        name: 'line of a running worker meanwhile, p99',
        value: p99,
        unit: 'ms',
        goal: `< ${LINE_MS}`,
        met: p99 < LINE_MS,
        note: `p50 ${quantile(lines, 0.5).toFixed(1)} ms of ${lines.length} lines`,
      },
      {
        name: '/livez meanwhile, slowest',
        value: slowest,
        unit: 'ms',
        goal: `< ${LIVEZ_MS}`,
        met: slowest < LIVEZ_MS,
        note: `p99 ${quantile(answers, 0.99).toFixed(0)} ms of ${answers.length}`,
      },
      {
        name: 'memory that stays free, least',
        value: least * 100,
        unit: '%',
        goal: `>= ${FREE_SHARE * 100}`,
        met: least >= FREE_SHARE,
      },
      { name: 'leases lost meanwhile', value: kept ? 0 : 1, unit: 'times', goal: '0', met: kept },
    ];
    if (queued.length > 0) results.push(...(await roomIsUsed(orchestrator, store, ids)));
    await orchestrator.delete([printer, ...ids]);
    return results;
  } finally {
    watching.abort();
    await manager.stop();
    await orchestrator.close(cell);
  }
}

/** Until all run, or no more have become RUNNING for a while. */
async function untilSettled(store: Store, count: number) {
  let best = 0;
  let since = performance.now();
  for (const began = since; ; ) {
    const all = await store.summaries();
    const running = all.filter(({ status }) => status === 'RUNNING').length;
    if (running > best) since = performance.now();
    best = Math.max(best, running);
    const now = performance.now();
    if (running === count || now - since > SETTLED_MS || now - began > LONGEST_MS) return all;
    await delay(1000);
  }
}

/** A deleted queued worker ends immediately; deleted running ones make room for the first of the queue. */
async function roomIsUsed(orchestrator: BenchOrchestrator, store: Store, ids: string[]): Promise<Result[]> {
  const phases = async () =>
    new Map((await store.summaries()).map(({ worker_id, phase }) => [worker_id, phase]));
  const before = await phases();
  const queued = ids.filter((id) => before.get(id) === 'queued');
  const last = queued.at(-1) ?? '';
  const began = performance.now();
  await orchestrator.send({ command: 'delete', worker_id: last });
  while ((await orchestrator.redis.hget(store.keys.status(last), 'phase')) !== 'deleted') await delay(5);
  const gone = performance.now() - began;
  const claimed = ids.filter((id) => before.get(id) === 'ready').slice(0, 20);
  for (const worker_id of claimed) await orchestrator.send({ command: 'delete', worker_id });
  let next: string[] = [];
  for (
    const until = performance.now() + 60_000;
    next.length < 10 && performance.now() < until;
    await delay(200)
  ) {
    const now = await phases();
    next = queued.filter((id) => now.get(id) === 'ready');
  }
  const first = new Set(queued.slice(0, next.length + 8));
  const inOrder = next.filter((id) => first.has(id)).length;
  return [
    { name: 'a queued worker, delete → gone', value: gone, unit: 'ms', goal: '< 1000', met: gone < 1000 },
    {
      name: 'started when room was made, in the order of the queue',
      value: inOrder,
      unit: `of ${next.length}`,
      goal: 'all',
      met: next.length > 0 && inOrder === next.length,
    },
    reported('workers that waited', queued.length, 'workers'),
  ];
}

async function latencies(orchestrator: BenchOrchestrator, id: string, from: number): Promise<number[]> {
  const entries = await orchestrator.redis.xrange(orchestrator.keys.output(id), String(from), '+');
  return entries.flatMap(([entry, fields]) => {
    const { type, content } = JSON.parse(fields[1] ?? '{}') as { type: string; content: string };
    if (type !== 'stdout') return [];
    return content
      .split('\n')
      .filter(Boolean)
      .map((line) => Number(entry.split('-')[0]) - Number(line));
  });
}

async function watchMemory(signal: AbortSignal): Promise<number[]> {
  const shares: number[] = [];
  while (!signal.aborted) {
    const memory = readMachineMemory();
    shares.push(memory ? memory.available_bytes / memory.total_bytes : 1);
    await delay(200);
  }
  return shares;
}

if (import.meta.main)
  console.table(
    await benchStorm({
      redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
      workers: Number(process.argv[2] ?? WORKERS),
    }),
  );
