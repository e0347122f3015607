/** The cost of a resync when nothing has changed: fake bodies, a real Redis, 10,000 workers and half of them. */
import { randomUUID } from 'node:crypto';
import { Resync } from '../src/leader/resync.ts';
import { formatInstant, workerSpec } from '../src/model/index.ts';
import { toActionError } from '../src/reconcile/act.ts';
import { Loop } from '../src/reconcile/loop.ts';
import { Runtimes } from '../src/runtimes/registry.ts';
import { connectCommands, type Link, Store } from '../src/store/index.ts';
import { createLogger } from '../src/telemetry/log.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { FakeEngine, FakeRuntime } from '../test/support/fake-runtime/fake.ts';
import { median, type Result } from './result.ts';

const WORKERS = 10_000;
const ROUNDS = 11;

export async function benchResync({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  const redis = connectCommands(redisUrl);
  try {
    const half = await measure(redis, WORKERS / 2);
    const full = await measure(redis, WORKERS);
    const linear = full.written / half.written;
    const floor = `${(full.written / full.floor).toFixed(2)} times reading the index and the heartbeats alone`;
    return [
      {
        name: 'resync of 10,000, all read',
        value: full.written,
        unit: 'ms CPU',
        goal: '< 150',
        met: full.written < 150,
        note: floor,
      },
      {
        name: 'resync of 10,000, nothing written since',
        value: full.quiet,
        unit: 'ms CPU',
        goal: '',
        met: true,
      },
      {
        name: 'resync of 10,000 over 5,000',
        value: linear,
        unit: 'times',
        goal: '< 2.6 (linear)',
        met: linear < 2.6,
      },
    ];
  } finally {
    redis.disconnect();
  }
}

/** Milliseconds of CPU time for one resync: with the index, without it, and for the reads alone. */
async function measure(redis: Link, workers: number) {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const store = new Store(redis, cell);
  const epoch = Date.now();
  await redis.set(store.keys.leader, `bench ${epoch}`);
  await store.identify(epoch, {
    id: randomUUID(),
    created_at: formatInstant(Date.now() - 1000),
    adopted: {},
  });
  const identity = await store.identity();
  if (!identity) throw new Error('Redis does not keep writes.');
  const runtime = new FakeRuntime({ engine: new FakeEngine(), cell });
  const runtimes = new Runtimes([runtime], Date.now, () => {});
  await runtimes.probe();
  const log = createLogger({ level: 'silent' });
  const metrics = createMetrics({ processMetrics: false });
  const limits = {
    backoff_base_ms: 1000,
    backoff_max_ms: 1000,
    backoff_reset_ms: 1000,
    heartbeat_silent_ms: 3_600_000,
    hung_ms: 3_600_000,
  };
  const mayAct = () => true;
  const shared = { store, runtimes, log, epoch, mayAct, now: Date.now };
  const loop = new Loop({
    context: {
      ...shared,
      limits,
      toActionError,
      leadingSince: Date.now(),
      bodyRedisUrl: () => redisUrlOfNobody,
      cell,
      actionErrors: new Map(),
      images: undefined,
      secrets: async () => ({}),
    },
    metrics,
    concurrency: 64,
    fenced: () => {},
    decided: () => {},
  });
  const resync = new Resync({
    ...shared,
    loop,
    metrics,
    identity,
    findings: { note: () => {}, clear: () => {} },
    grace_ms: 60_000,
    breaker_share: 0.5,
    heartbeat_silent_ms: limits.heartbeat_silent_ms,
  });

  await declare(store, epoch, workers);
  const end = new AbortController();
  const running = loop.run(end.signal);
  await resync.run();
  const all = (status: string, phase: string) => () => {
    const { kinds } = loop.lastSeen.count();
    return (
      loop.queue.length === 0 &&
      kinds.length === 1 &&
      kinds[0]?.status === status &&
      loop.lastSeen.living().every((id) => loop.lastSeen.phase(id) === phase)
    );
  };
  await until(all('STARTING', 'booting'));
  await becomeReady(redis, store, loop.lastSeen.living());
  await resync.run();
  await until(all('RUNNING', 'ready'));

  const written: number[] = [];
  const quiet: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await redis.incr(store.keys.revision);
    written.push(await cpu(() => resync.run()));
    quiet.push(await cpu(() => resync.run()));
    const ids = loop.lastSeen.living();
    floor.push(await cpu(() => Promise.all([store.index(), store.heartbeats(ids)])));
  }
  end.abort();
  loop.queue.shutDown();
  await running;
  await forget(redis, cell);
  return { written: median(written), quiet: median(quiet), floor: median(floor) };
}

const redisUrlOfNobody = 'redis://127.0.0.1:1';

async function declare(store: Store, epoch: number, workers: number): Promise<void> {
  const spec = workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['true'], runtime: 'docker' });
  for (let done = 0; done < workers; done += 500) {
    const batch = Array.from({ length: 500 }, () => randomUUID());
    await Promise.all(batch.map((id) => store.restore(epoch, id, spec, Date.now())));
  }
}

/** The heartbeats that the wrappers of the fake bodies would write. */
async function becomeReady(redis: Link, store: Store, ids: string[]): Promise<void> {
  const now = formatInstant(Date.now());
  const beat = {
    incarnation: 1,
    phase: 'ready',
    at: now,
    ready_at: now,
    active_at: now,
    busy: false,
    seq: 1,
  };
  for (let at = 0; at < ids.length; at += 500) {
    const batch = ids.slice(at, at + 500);
    await redis.mset(batch.flatMap((id) => [store.keys.heartbeat(id), JSON.stringify(beat)]));
  }
}

async function cpu(what: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await what();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('The workers did not settle in two minutes.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function forget(redis: Link, cell: string): Promise<void> {
  for (let cursor = '0'; ; ) {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${cell}:*`, 'COUNT', 5000);
    if (keys.length > 0) await redis.unlink(...keys);
    if (next === '0') return;
    cursor = next;
  }
}
