/**
 * Keys of ours that are lost one by one, as an evicting Redis or a slip of an operator loses them: each alone and each
 * pair of those that matter, while a manager leads and while none does. After it nothing lives unseen, no ended worker
 * runs again, `list` lacks only workers named as lost, and every later command is answered.
 */
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { expect, inject, test } from 'vitest';
import { LossyCell } from './keys-lost.ts';

/** Rows that are tried side by side. */
const AT_ONCE = 24;
const PATIENCE_MS = 30_000;

/** Keys that others depend on; each pair of them is tried. */
const BEARING = [
  'commands',
  'workers',
  'index',
  'revision',
  'names',
  'identity',
  'leader',
  'epoch',
  'pools',
  'pool',
  'pool status',
  'pool members',
  'running record',
  'running status',
  'running events',
  'ended record',
  'ended status',
  'ended events',
  'running heartbeat',
];

const ALL = [
  ...BEARING,
  'responses',
  'dead',
  'figures',
  'bodies',
  'nodes',
  'answered',
  'answeredBytes',
  'findings',
  'pool events',
  'running input',
  'running output',
  'running conversation',
  'ended heartbeat',
  'ended output',
];

async function until(what: () => Promise<void>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await what();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** A worker that runs, one that has run, and a pool of two. */
async function settled(url: string): Promise<{ world: LossyCell; body: string | undefined }> {
  const world = new LossyCell(url);
  const { store, name } = world.cell;
  world.lead();
  await world.create(world.runs, { name: 'ann' });
  await world.create(world.ended);
  await world.applyPool();
  const status = async (id: string) => (await store.status(id))?.status;
  await until(async () => {
    expect(await status(world.runs)).toMatchObject({ status: 'RUNNING', phase: 'ready' });
    const [body] = world.engine.bodiesOf(name, world.ended);
    if (body?.state === 'running') world.engine.exit(body.id, { exit_code: 0 });
    expect(await status(world.ended)).toMatchObject({ status: 'STOPPED', phase: 'finished' });
    const pool = (await world.list()).filter((one) => one.pool !== undefined);
    expect(pool.map((one) => one.phase)).toEqual(['ready', 'ready']);
  });
  return { world, body: world.engine.bodiesOf(name, world.runs)[0]?.id };
}

async function row(url: string, lost: string[], mode: 'led' | 'alone'): Promise<void> {
  const { world, body } = await settled(url);
  const { redis, name, store } = world.cell;
  try {
    const keys = world.keys();
    if (mode === 'alone') await world.stop();
    await redis.del(...lost.map((what) => keys[what] ?? what));
    if (mode === 'alone') world.lead();
    const later = randomUUID();
    const request = await world.create(later);
    await until(async () => {
      expect(await world.answer(request), 'the answer').toMatchObject({ success: true });
      expect((await store.status(later))?.status, 'the new worker').toMatchObject({ status: 'RUNNING' });
      const listed = await world.list();
      const ids = listed.map((one) => one.worker_id);
      const said = await world.findings();
      for (const id of [world.runs, world.ended])
        if (!ids.includes(id)) expect(said, 'who is missing').toContain(id);
      // It is restored from its body, which has a label.
      expect(ids, 'who runs').toContain(world.runs);
      expect(listed.find((one) => one.worker_id === world.runs)).toMatchObject({
        status: 'RUNNING',
        phase: 'ready',
      });
      for (const { worker_id } of world.engine.list(name)) expect(ids, 'an unseen body').toContain(worker_id);
      const [now, ...others] = world.engine.bodiesOf(name, world.runs);
      expect([now?.id, others], 'the body of the worker that runs').toEqual([body, []]);
      expect(world.engine.bodiesOf(name, world.ended), 'a body of the worker that ended').toEqual([]);
      const pooled = listed.filter((one) => one.pool !== undefined && one.desired === 'running');
      expect(pooled.length, 'workers of the pool').toBe(2);
      const { listed: count, indexed, names } = await store.indexState();
      expect([indexed, names], 'the indexes').toEqual([count, true]);
      expect(Object.keys(await store.index()).sort(), 'the index').toEqual([...ids].sort());
      if (lost.includes('pool')) expect(said, 'the lost pool').toContain('The record of pool jobs was lost');
      else expect(await world.cell.pools.names(), 'the list of pools').toEqual(['jobs']);
      if (lost.includes('commands')) expect(said, 'the lost commands').toContain('sent again');
    });
    const taken = await world.create(randomUUID(), { name: 'ann' });
    await until(async () =>
      expect(await world.answer(taken), 'the name').toMatchObject({
        success: false,
        error: { code: 'conflict' },
      }),
    );
    // A worker whose pass is asked for by the end of what was lost has had it by now.
    expect(world.engine.bodiesOf(name, world.ended), 'a late body of the worker that ended').toEqual([]);
  } catch (error) {
    throw new Error(`without ${lost.join(' and ')} (${mode}): ${(error as Error).message}`);
  } finally {
    await world.close();
  }
}

async function failures(rows: string[][], mode: 'led' | 'alone'): Promise<string[]> {
  const url = inject('redisUrl');
  const limit = pLimit(AT_ONCE);
  const results = await Promise.allSettled(rows.map((lost) => limit(row, url, lost, mode)));
  return results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.message)] : []));
}

const only = process.env.KEYS_ROW?.split('+');
const singles = only ? [only] : ALL.map((key) => [key]);
/** A pair is lost in one of the two ways, unless all of it is asked for: it takes twice as long. */
const every = process.env.KEYS_ALL !== undefined;
const pairs = only ? [] : BEARING.flatMap((a, at) => BEARING.slice(at + 1).map((b) => [a, b]));

test.each(['led', 'alone'] as const)('any one key may be lost (%s)', { timeout: 120_000 }, async (mode) => {
  expect(await failures(singles, mode)).toEqual([]);
});

test.each(['led', 'alone'] as const)(
  'any two keys that matter may be lost (%s)',
  { timeout: 300_000 },
  async (mode) => {
    expect(
      await failures(
        pairs.filter((_, at) => every || (at % 2 === 0) === (mode === 'led')),
        mode,
      ),
    ).toEqual([]);
  },
);
