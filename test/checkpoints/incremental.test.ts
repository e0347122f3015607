import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { CheckpointDirectory } from '../../src/checkpoints/directory.ts';
import { keepBudget } from '../../src/checkpoints/limits.ts';
import {
  baseOf,
  newChunks,
  objects,
  opened,
  packsOf,
  root,
  save,
  store,
  toParts,
  total,
  useStore,
} from './chunk-fixture.ts';
import { newCheckpoint, read, toSource, write } from './fixture.ts';

useStore();

test('only new chunks are stored, and each checkpoint can be read after the others were deleted', async () => {
  const chunks = newChunks(50);
  const states = [chunks];
  const ids = [await save(chunks)];
  for (let n = 1; n < 40; n += 1) {
    const last = states.at(-1) ?? [];
    const next = last.map((chunk, at) => (at === n % 50 ? randomBytes(10_000) : chunk));
    const id = await write(store, { content: toParts(next, last), bases: [ids.at(-1) ?? ''] });
    expect(id.bytes).toBe(500_000);
    states.push(next);
    ids.push(id.checkpoint_id);
  }
  // 50 chunks and 39 more, and what was copied so that there are few packs.
  expect(await total()).toBeLessThan(2_000_000);
  for (const id of ids) expect(packsOf(id).length).toBeLessThanOrEqual(17);
  for (const [at, id] of ids.entries())
    expect(await read(store, id)).toEqual(Buffer.concat(states[at] ?? []));
  const [kept] = ids.splice(20, 1) as [string];
  for (const id of ids) await store.remove(id);
  expect(await read(store, kept)).toEqual(Buffer.concat(states[20] ?? []));
  await store.remove(kept);
  expect(objects()).toEqual([]);
});

test('a body that sends everything again takes no more space', async () => {
  const chunks = newChunks(20);
  const one = await write(store, { content: toParts(chunks) });
  const before = await total();
  const two = await write(store, { content: toParts(chunks), bases: [one.checkpoint_id] });
  expect(two.sha256).toBe(one.sha256);
  expect((await total()) - before).toBeLessThan(5000);
  expect(objects()).toHaveLength(1);
});

test('chunks that are equal are stored once', async () => {
  const [one, two] = newChunks(2) as [Buffer, Buffer];
  const id = await save([one, two, one, one]);
  expect(await total()).toBeLessThan(25_000);
  expect(await read(store, id)).toEqual(Buffer.concat([one, two, one, one]));
});

test('a pack of which little is needed is copied and deleted', async () => {
  const chunks = newChunks(10);
  const first = await save(chunks);
  const rest = chunks.slice(0, 3);
  const next = await save([...rest, ...newChunks(7)], first, rest);
  expect(packsOf(next)).toHaveLength(1);
  await store.remove(first);
  expect(objects()).toHaveLength(1);
  expect(await total()).toBeLessThan(120_000);
  expect((await read(store, next))?.subarray(0, 30_000)).toEqual(Buffer.concat(rest));
});

test('the base may be deleted while its chunks are used again', async () => {
  const chunks = newChunks(10);
  const base = await save(chunks);
  const id = newCheckpoint();
  const written = await store.write(id, {
    findBases: async () => [base],
    open: async (found) => {
      expect(found).toBe(base);
      await store.remove(base);
      await store.clean();
      return opened(toParts(chunks, chunks));
    },
    mostBytes: 1e9,
  });
  expect(await read(store, written.checkpoint_id)).toEqual(Buffer.concat(chunks));
  expect(await baseOf([written.checkpoint_id])).toBe(written.checkpoint_id);
});

test('what a body says that it has sent before is not believed', async () => {
  const [own, foreign] = [newChunks(2), newChunks(2)];
  const base = await save(own);
  await save(foreign);
  // Chunks of other workers cannot be had by naming them.
  await expect(save(foreign, base, foreign)).rejects.toMatchObject({ code: 'internal' });
  await expect(save(own, undefined, own)).rejects.toMatchObject({ code: 'internal' });
  expect(await store.list()).toHaveLength(2);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('a body that sends endless tiny chunks is refused', async () => {
  const parts = Readable.from(
    (function* () {
      for (;;) yield { bytes: Buffer.alloc(1) };
    })(),
  );
  const open = async () => ({ source: { ...toSource([]), parts }, conversation: undefined });
  const writing = store.write(newCheckpoint(), { findBases: async () => [], open, mostBytes: 1e9 });
  await expect(writing).rejects.toMatchObject({ code: 'capacity', message: /more than 250000 chunks/ });
});

test('a longer archive than the budget is refused even if most of it is known', async () => {
  const chunks = newChunks(10);
  const base = await save(chunks);
  const writing = write(store, { content: toParts(chunks, chunks), bases: [base], mostBytes: 99_999 });
  await expect(writing).rejects.toMatchObject({ code: 'capacity' });
});

test('a checkpoint that is read is complete although it, and all others, are deleted', async () => {
  const chunks = newChunks(200);
  const first = await save(chunks);
  const next = await save([randomBytes(10_000), ...chunks.slice(1)], first);
  const opened = await store.open(next);
  for (const id of [first, next]) await store.remove(id);
  await store.clean();
  expect(objects()).toEqual([]);
  let bytes = 0;
  for await (const part of opened?.stream ?? []) bytes += (part as Buffer).length;
  expect(bytes).toBe(2_000_000);
});

test('a reader that leaves before the first byte closes every file', async () => {
  const id = await save(newChunks(10));
  const files = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readFileSync(`/proc/self/fdinfo/${fd}`) && statSync(`/proc/self/fd/${fd}`).size === 100_000;
      } catch {
        return false;
      }
    }).length;
  for (let n = 0; n < 5; n += 1) (await store.open(id))?.stream.destroy();
  await expect.poll(files).toBe(0);
  await expect.poll(() => store.isRead(id)).toBe(false);
});

test('the budget counts shared packs once, and deletes the least recently used first', async () => {
  const chunks = newChunks(10);
  const ids = [await save(chunks)];
  let last = chunks;
  for (let n = 0; n < 3; n += 1) {
    const next = [randomBytes(10_000), ...last.slice(1)];
    ids.push((await write(store, { content: toParts(next, last), bases: [ids.at(-1) ?? ''] })).checkpoint_id);
    last = next;
  }
  // The file system's clock may have the same time for all of them.
  for (const [at, id] of ids.entries()) utimesSync(join(root, id, 'record.json'), at, at);
  const used = await total();
  expect(used).toBeLessThan(150_000);
  expect(await keepBudget(store, used)).toEqual([]);
  // The pack of the first is needed by all, and each of the others has one of its own.
  expect(await keepBudget(store, used - 5000, ids.at(-1))).toEqual([ids[0], ids[1]]);
  expect(await keepBudget(store, 1, ids.at(-1))).toEqual([ids[2]]);
  expect(await read(store, ids[3] ?? '')).toEqual(Buffer.concat(last));
});

test('several managers write, read and delete checkpoints with the same chunks at once', async () => {
  const chunks = newChunks(20);
  const base = await save(chunks);
  const work = Array.from({ length: 6 }, async (_, worker) => {
    const own = new CheckpointDirectory(root);
    let last = { id: base, chunks };
    for (let n = 0; n < 8; n += 1) {
      const next = last.chunks.map((chunk, at) => (at === (worker + n) % 20 ? randomBytes(10_000) : chunk));
      const known: Buffer[] = [];
      const { checkpoint_id: id } = await own.write(newCheckpoint(), {
        findBases: async () => [last.id, base],
        open: async (found) => {
          // What was deleted meanwhile is sent.
          known.push(...(found === last.id ? last.chunks : found === base ? chunks : []));
          return opened(toParts(next, known));
        },
        mostBytes: 1e9,
      });
      expect(await read(own, id)).toEqual(Buffer.concat(next));
      await own.remove(last.id);
      await own.clean();
      last = { id, chunks: next };
    }
    return last;
  });
  for (const { id, chunks: expected } of await Promise.all(work))
    expect(await read(store, id)).toEqual(Buffer.concat(expected));
  for (const { checkpoint_id } of await store.list()) await store.remove(checkpoint_id);
  await store.clean();
  expect(objects()).toEqual([]);
});
