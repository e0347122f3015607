import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { CheckpointDirectory } from '../../src/checkpoints/directory.ts';
import { expireDeleted, keepBudget, keepNewest, sumCheckpointBytes } from '../../src/checkpoints/limits.ts';
import { newFolder, read, write } from './fixture.ts';

const ids = async (store: CheckpointDirectory) => (await store.list()).map((one) => one.checkpoint_id);

/** A store whose clock is a second later at each read, so that uses have an order. */
function openStore() {
  let now = Date.now();
  return new CheckpointDirectory(newFolder(), () => {
    now += 1000;
    return now;
  });
}

test('the least recently used checkpoints are deleted first, and never one that is being read', async () => {
  const store = openStore();
  const all: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const { checkpoint_id } = await write(store, { content: randomBytes(100_000) });
    await read(store, checkpoint_id);
    all.push(checkpoint_id);
  }
  const [first, second, third, fourth, last] = all as [string, string, string, string, string];
  await read(store, first);
  const reading = await store.open(second);
  expect(await keepBudget(store, 1_000_000)).toEqual([]);
  // Room for three.
  expect(await keepBudget(store, 310_000, last)).toEqual([third, fourth]);
  expect((await ids(store)).sort()).toEqual([first, second, last].sort());
  // What is read, and what was just written, is kept even if it does not fit.
  expect(await keepBudget(store, 0, last)).toEqual([first]);
  reading?.stream.destroy();
  await expect.poll(() => store.isRead(second)).toBe(false);
  expect(await keepBudget(store, 150_000)).toHaveLength(1);
});

test('a checkpoint that is held is spared like one that is being read', async () => {
  const store = openStore();
  const { checkpoint_id: id } = await write(store);
  expect(await store.hold(randomUUID())).toBeUndefined();
  const release = await store.hold(id);
  await write(store);
  await keepBudget(store, 1);
  expect(await ids(store)).toEqual([id]);
  release?.();
  await expect.poll(() => store.isRead(id)).toBe(false);
  await keepBudget(store, 1);
  expect(await ids(store)).toEqual([]);
});

test('equal archives count once', async () => {
  const store = openStore();
  const content = randomBytes(100_000);
  await write(store, { content });
  await write(store, { content });
  const total = sumCheckpointBytes(await store.list());
  expect(total).toBeGreaterThan(100_000);
  expect(total).toBeLessThan(110_000);
});

test('of the automatic checkpoints of a worker, the newest are kept', async () => {
  const store = openStore();
  const worker_id = randomUUID();
  const made = [];
  for (const trigger of ['request', 'turn', 'interval', 'turn', 'stop'] as const)
    made.push((await write(store, { worker_id, trigger })).checkpoint_id);
  const { checkpoint_id: other } = await write(store, { trigger: 'turn' });
  await keepNewest(store, worker_id, 2);
  expect((await ids(store)).sort()).toEqual([made[0], made[3], made[4], other].sort());
});

test('the last checkpoint of a deleted worker is kept for a while', async () => {
  const store = openStore();
  const [gone, alive] = [randomUUID(), randomUUID()];
  const old = await write(store, { worker_id: gone });
  const last = await write(store, { worker_id: gone });
  const own = [await write(store, { worker_id: alive }), await write(store, { worker_id: alive })];
  const now = Date.parse('2030-02-01T00:00:00Z');
  const exists = (id: string) => id === alive;
  const sweep = (hours: number, found = exists) =>
    expireDeleted(store, { exists: found, retentionMs: 86_400_000, now: now + hours * 3_600_000 });
  await sweep(0);
  const left = async () => (await ids(store)).sort();
  const kept = own.map(({ checkpoint_id }) => checkpoint_id);
  expect(await left()).toEqual([last.checkpoint_id, ...kept].sort());
  expect(await store.get(last.checkpoint_id)).toMatchObject({ expires_at: '2030-02-02T00:00:00.000Z' });
  expect(await store.get(old.checkpoint_id)).toBeUndefined();
  // The records of a lost store were restored.
  await sweep(23, () => true);
  expect(await store.get(last.checkpoint_id)).not.toHaveProperty('expires_at');
  await sweep(24);
  await sweep(47);
  expect(await left()).toContain(last.checkpoint_id);
  await sweep(48);
  expect(await left()).toEqual(kept.sort());
});
