import pino from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { HealthMonitor } from '../../src/leader/health-monitor.ts';
import { formatInstant, type UsageReading } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { LastSeen } from '../../src/reconcile/last-seen.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import {
  beatOf,
  ID,
  INCARNATION,
  LIMITS,
  lifeOf,
  look,
  memoOf,
  NOW,
  specOf,
} from '../reconcile/observation.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';

const INTERVAL = 30_000;
let now: number;
let engine: FakeEngine;
let lastSeen: LastSeen;
let asked: Set<string>;
let beat: string | null;
let kept: Record<string, UsageReading>;
let redisIsAway: boolean;
let monitor: HealthMonitor;
let bodyId: string;
let node: 'answers' | 'mute' | 'unknown';
let questions: string[];

/** A running worker that was observed. */
beforeEach(async () => {
  now = NOW;
  engine = new FakeEngine({ now: () => now });
  const runtime = new FakeRuntime({ engine });
  lastSeen = new LastSeen();
  asked = new Set();
  beat = JSON.stringify(beatOf());
  kept = {};
  redisIsAway = false;
  node = 'answers';
  questions = [];
  const order = { worker_id: ID, incarnation: INCARNATION, spec: specOf(), spec_hash: '', epoch: 1, env: {} };
  const body = await runtime.create(order);
  await runtime.start(body.id);
  bodyId = body.id;
  const [running] = await runtime.list();
  if (!running) throw new Error('no body');
  const memo = memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true, running_since: NOW }));
  const observation = look({ memo, actual: { kind: 'present', body: running }, beat: {} });
  lastSeen.set(observation, 1, decide(observation));
  const away = async () => {
    if (redisIsAway) throw new Error('Redis is away');
  };
  monitor = new HealthMonitor({
    store: {
      heartbeats: async (ids) => away().then(() => ids.map(() => beat)),
      saveUsage: async (usage) => {
        kept = usage;
      },
    },
    runtimes: new Runtimes(
      [runtime],
      () => now,
      () => undefined,
    ),
    loop: { lastSeen, queue: { add: (id) => void asked.add(id) } },
    log: pino({ level: 'silent' }),
    limits: LIMITS,
    probeNode: async (host, port) => {
      questions.push(`${host}:${port}`);
      return node;
    },
    interval_ms: INTERVAL,
    now: () => now,
    monotonic: () => now,
  });
});
const check = async (times = 1) => {
  for (let left = times; left > 0; left -= 1) {
    await monitor.run();
    now += INTERVAL;
  }
};

test('the usage of a body is stored for users', async () => {
  engine.cpuSeconds = () => (now - NOW) / 2000;
  await check(2);
  expect(kept).toEqual({
    [ID]: { cpu_percent: 50, memory_bytes: 1024 ** 2, pids: 1, at: formatInstant(NOW + INTERVAL) },
  });
  expect(asked).toEqual(new Set());
});

test('a body is enqueued if both it and its wrapper have stopped, but not for one sign alone', async () => {
  await check(2);
  expect(asked).toEqual(new Set());
  await check();
  expect(monitor.vitals(bodyId)).toMatchObject({ quiet_ms: 60_000, stuck_ms: 60_000 });
  expect(asked).toEqual(new Set([ID]));
  asked.clear();
  beat = JSON.stringify(beatOf({ seq: 8 }));
  await check();
  expect(monitor.vitals(bodyId)).toMatchObject({ quiet_ms: 0, stuck_ms: 90_000 });
  expect(asked).toEqual(new Set());
});

test('a worker whose task may have run too long is enqueued although its wrapper reports', async () => {
  beat = JSON.stringify(beatOf({ job_started_at: formatInstant(NOW - 3_600_000) }));
  await check();
  expect(asked).toEqual(new Set([ID]));
});

test.each(['engine', 'Redis'])('time in which the %s did not respond is not counted', async (part) => {
  await check(2);
  engine.faults.down = part === 'engine';
  redisIsAway = part === 'Redis';
  await check().catch(() => undefined);
  engine.faults.down = redisIsAway = false;
  await check(2);
  expect(monitor.vitals(bodyId)).toMatchObject({ quiet_ms: INTERVAL, stuck_ms: INTERVAL });
  expect(asked).toEqual(new Set());
});

test('a worker whose body is gone is enqueued, and its record deleted', async () => {
  await check(2);
  engine.vanish(bodyId);
  await check();
  expect(asked).toEqual(new Set([ID]));
  expect(monitor.vitals(bodyId)).toBeUndefined();
  expect(kept).toEqual({});
});

test.each([
  ['mute', true],
  ['answers', false],
  ['unknown', false],
] as const)(
  'a worker whose heartbeat does not come is asked itself, where it is: %s',
  async (found, stuck) => {
    node = found;
    engine.cpuSeconds = () => now - NOW;
    const at = formatInstant(NOW);
    beat = JSON.stringify(beatOf({ at, node_url: 'http://elsewhere.example:4711' }));
    await check(2);
    expect(questions).toEqual([]);
    await check(3);
    const [running] = engine.list('default');
    expect(new Set(questions)).toEqual(new Set([`${running?.ip_address}:4711`]));
    expect(monitor.vitals(bodyId)).toMatchObject({ quiet_ms: 120_000, stuck_ms: stuck ? 60_000 : 0 });
    expect(asked).toEqual(new Set(stuck ? [ID] : []));
  },
);

// No metric showed how much CPU and memory the workers of a pool use.
test('the usage of workers is summed by pool, runtime and agent type', async () => {
  engine.cpuSeconds = () => (now - NOW) / 2000;
  await check(2);
  expect(monitor.usage()).toEqual([
    {
      pool: '',
      runtime: 'docker',
      agent_type: 'CUSTOM',
      cpu_cores: 0.5,
      memory_bytes: 2 ** 20,
      workspace_bytes: 0,
    },
  ]);
});
