/**
 * Claims of warm bodies in a storm: the guarantees hold for every worker, whatever happens. The seed is
 * printed and can be set with WARM_SEED; WARM_CREATES sets the size.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { LifecycleEvent } from '../../src/model/index.ts';
import type { OutputMessage } from '../../src/model/messages/message.ts';
import { waiting } from '../pools/warm/waiting.ts';
import { pidsWith } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { type Asked, POOL, type Storm, storm } from './warm-storm.ts';
import { type FaultWorld, openWorld } from './world.ts';

const SEED = Number(process.env.WARM_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** A wrapper that got its claim and is silent has ten seconds; so has its client. */
const CALM = { timeout: 60_000, interval: 100 };
const WARM = 6;

test.each([
  ['process', Number(process.env.WARM_CREATES ?? 24), 2],
  ['docker', Math.ceil(Number(process.env.WARM_CREATES ?? 24) / 3), 1],
] as const)(
  'a storm over warm bodies of %s keeps every guarantee',
  { timeout: 240_000 },
  async (name, creates, restarts) => {
    const seed = SEED;
    console.log(`WARM_SEED=${seed} (${name})`);
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const world = await openWorld(name, redis);
    const home = await mkdtemp(join(tmpdir(), 'wm-storm-'));
    onTestFinished(() => rm(home, { recursive: true }));
    const [ledger, secrets] = [join(home, 'ledger'), join(home, 'secrets')];
    await mkdir(ledger);
    await mkdir(secrets);
    await writeFile(join(secrets, 'TOKEN'), 'the secret', { mode: 0o600 });
    const env = { RESTART_BACKOFF_SECONDS: '0.1', SECRETS_DIR: secrets };
    const began = performance.now();
    const happened = await storm({ world, runtime: name, seed, creates, warm: WARM, restarts, env, ledger });
    const lap = (what: string) => console.log(`${what}: ${Math.round(performance.now() - began)} ms`);
    lap('storm');
    try {
      // Until the last command is read, the world may be idle without it.
      await vi.waitFor(() => everyCommandHasOneAnswer(world, happened), CALM);
      await vi.waitFor(() => everyStatusIsTrue(world, happened), CALM);
      lap('calm');
      await everyCommandHasOneAnswer(world, happened);
      // Recently sent commands may still be in progress.
      for (const asked of happened.asked)
        await vi.waitFor(
          () => promisesAreKept(world, asked, happened, name === 'process' ? ledger : undefined),
          CALM,
        );
      console.log(`${await countTaken(world)} of ${creates} in warm bodies`);
      // After that, the wrappers' reports are the same in any runtime.
      if (name === 'process') await storeIsLost(world, happened);
      lap('found again');
      await nothingIsLeft(world, happened);
      lap('gone');
    } catch (error) {
      console.log(happened.log.join('\n'));
      throw error;
    }
  },
);

/** In a settled world, a worker is RUNNING and ready in its only body, or has ended and has none. */
async function everyStatusIsTrue(world: FaultWorld, { asked }: Storm): Promise<void> {
  const { store } = world.cell;
  const bodies = await world.bodies();
  const living = new Set<string>();
  for (const id of await store.ids()) {
    const loaded = await store.load(id);
    if (!loaded) continue;
    const { desired, status } = loaded.record;
    const [where, about] = [
      `${status?.status}/${status?.phase}`,
      JSON.stringify({ id, desired: desired.desired, status }),
    ];
    // The world is not settled while a start is not reconciled yet.
    expect(status?.observed_generation, about).toBe(desired.generation);
    if (status?.status !== 'RUNNING') {
      expect(['STOPPED/finished', 'FAILED/finished'], about).toContain(where);
      expect(
        bodies.filter(({ worker_id }) => worker_id === id),
        about,
      ).toEqual([]);
      continue;
    }
    expect(where, about).toBe('RUNNING/ready');
    expect(desired.desired, about).toBe('running');
    const body = bodies.find((one) => one.id === status.body_id);
    expect(body, about).toMatchObject({ state: 'running' });
    expect(loaded.heartbeat, about).toMatchObject({ incarnation: status.incarnation, phase: 'ready' });
    expect(living.has(body?.id ?? ''), about).toBe(false);
    living.add(body?.id ?? '');
  }
  expect(bodies.filter(({ id }) => !living.has(id))).toEqual([]);
  for (const { id, told } of asked) {
    const found = await store.status(id);
    if (told === 'deleted') expect(await store.load(id), id).toBeUndefined();
    if (told === 'stopped') expect(['STOPPED', 'FAILED'], id).toContain(found?.status?.status);
  }
  expect(await waiting(world)).toHaveLength(WARM);
}

async function everyCommandHasOneAnswer({ cell }: FaultWorld, { asked }: Storm): Promise<void> {
  const answers = await cell.answers();
  const counts = new Map<unknown, number>();
  for (const { request_id } of answers) counts.set(request_id, (counts.get(request_id) ?? 0) + 1);
  for (const { id, requests } of asked)
    for (const request of requests) expect(counts.get(request), `answers for ${id}`).toBe(1);
}

/** Its output has no gaps, and each request was executed once, or as often as its policy allows. */
async function promisesAreKept(
  { cell }: FaultWorld,
  { id, policy, prompts, harmed, restarted }: Asked,
  storm: Storm,
  ledger: string | undefined,
): Promise<void> {
  const { keys, status } = { keys: cell.store.keys, status: (await cell.store.status(id))?.status };
  const output = (await cell.read(keys.output(id))) as OutputMessage[];
  const events = (await cell.read(keys.events(id))) as LifecycleEvent[];
  const about = JSON.stringify(
    { id, policy, prompts, harmed, restarted, status, events, output },
    undefined,
    1,
  );
  expect(
    output.map(({ seq }) => seq),
    about,
  ).toEqual(output.map((_, at) => at + 1));
  const hurt = harmed || [...storm.harmed].some((one) => about.includes(one));
  const written = ledger && (await readFile(join(ledger, id), 'utf8').catch(() => ''));
  const said = output.filter(({ type }) => type === 'stdout').map(({ content }) => content);
  const lines = written?.split('\n') ?? said;
  for (const prompt of prompts) {
    const times = lines.filter((line) => line.includes(prompt)).length;
    const may = policy === 'never' && !restarted ? 1 : Number.POSITIVE_INFINITY;
    expect(times, about).toBeLessThanOrEqual(may);
    if (!hurt) expect(times, about).toBe(1);
  }
  if (!hurt) expect(status, about).toMatchObject({ restarts: 0 });
}

/** Workers that began in a warm body, as the wrappers have reported. */
async function countTaken({ cell: { redis, name } }: FaultWorld): Promise<number> {
  return (await redis.keys(`${name}:worker:*:serving`)).length;
}

/** Live workers are found again after the store has lost everything. */
async function storeIsLost(world: FaultWorld, { asked }: Storm): Promise<void> {
  const { store, redis } = world.cell;
  // Workers that end on their own may do so at any moment, so the test does not wait for them.
  const headless = asked.filter((one) => one.headless);
  for (const { id } of headless) await world.push({ command: 'delete', worker_id: id });
  await vi.waitFor(async () => {
    for (const { id } of headless) expect(await store.load(id), id).toBeUndefined();
  }, CALM);
  // A warm body may be about to be replaced.
  const { before, bodies } = await vi.waitFor(async () => {
    const before = new Map<string, unknown>();
    for (const id of await store.ids()) {
      const { status } = (await store.load(id))?.record ?? {};
      if (status?.status === 'RUNNING') before.set(id, status.body_id);
    }
    const bodies = await world.bodies();
    expect(bodies.map(({ id }) => id).sort()).toEqual([...before.values()].sort());
    return { before, bodies };
  }, CALM);
  await redis.flushall();
  await vi.waitFor(async () => {
    for (const [id, body_id] of before)
      expect((await store.load(id))?.record.status, id).toMatchObject({
        status: 'RUNNING',
        phase: 'ready',
        body_id,
      });
    expect((await store.ids()).sort()).toEqual([...before.keys()].sort());
    expect((await world.bodies()).map(({ id }) => id).sort()).toEqual(bodies.map(({ id }) => id).sort());
  }, CALM);
}

async function nothingIsLeft(world: FaultWorld, { asked }: Storm): Promise<void> {
  const { store, redis, name } = world.cell;
  await world.push({ command: 'delete_pool', pool: POOL });
  for (const id of await store.ids()) await world.push({ command: 'delete', worker_id: id });
  await vi.waitFor(async () => expect(await store.ids()).toEqual([]), CALM);
  await vi.waitFor(async () => expect(await world.bodies()).toEqual([]), CALM);
  expect(await redis.hgetall(store.keys.bodies)).toEqual({});
  for (const { id } of asked) expect(pidsWith(id), id).toEqual([]);
  const beats = await redis.keys(`${name}:worker:*:heartbeat`);
  const kept = [];
  // Redis returns -1 for a key without expiry, and -2 for one that is gone.
  for (const key of beats) if ((await redis.ttl(key)) === -1) kept.push(key);
  expect(kept).toEqual([]);
}
