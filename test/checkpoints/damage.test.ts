/** Checkpoints that a disk, a crash or another version has left. */
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { CheckpointDirectory } from '../../src/checkpoints/directory.ts';
import { baseOf, newChunks, objects, packsOf, root, save, sha256, store, useStore } from './chunk-fixture.ts';
import { newCheckpoint, read, toSource } from './fixture.ts';

useStore();

test('a base that does not exist, of an older version, or without links is none', async () => {
  const chunks = newChunks(3);
  const good = await save(chunks);
  const old = writeOld(randomBytes(1000));
  expect(await baseOf([randomUUID()])).toBeUndefined();
  expect(await baseOf([old])).toBeUndefined();
  expect(await baseOf([randomUUID(), old, good])).toBe(good);
  writeFileSync(join(root, good, 'chunks.json'), '{"version":1');
  expect(await baseOf([good])).toBeUndefined();
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

/** A checkpoint as older versions stored it: one file. */
function writeOld(content: Buffer): string {
  const record = {
    ...newCheckpoint(),
    format: 'tar.zst',
    bytes: content.length,
    sha256: sha256(content),
    conversation: false,
  };
  const folder = join(root, record.checkpoint_id);
  mkdirSync(join(root, 'objects'), { recursive: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'archive'), content);
  linkSync(join(folder, 'archive'), join(root, 'objects', record.sha256));
  writeFileSync(join(folder, 'record.json'), JSON.stringify(record));
  return record.checkpoint_id;
}

test('a checkpoint of an older version is listed, read, checked and deleted', async () => {
  const content = randomBytes(1_000_000);
  const id = writeOld(content);
  expect(await store.list()).toMatchObject([{ checkpoint_id: id, bytes: 1e6, packs: [{ bytes: 1e6 }] }]);
  expect(await read(store, id)).toEqual(content);
  await store.clean();
  expect(objects()).toHaveLength(1);
  damage(join(root, id, 'archive'));
  await expect(read(store, id)).rejects.toMatchObject({
    reason: 'CheckpointFailed',
    message: expect.stringContaining(id),
  });
  await store.remove(id);
  expect(objects()).toEqual([]);
});

test('a checkpoint of a newer version is refused, and not taken for damaged', async () => {
  const id = await save(newChunks(2));
  writeFileSync(join(root, id, 'chunks.json'), '{"version":2,"other":true}');
  await expect(store.open(id)).rejects.toMatchObject({ code: 'unsupported', message: /newer version/ });
  expect(await store.list()).toHaveLength(1);
});

/** One bit, in the middle. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([(bytes[at] ?? 0) ^ 1]), 0, 1, at);
  closeSync(file);
}

test.each<[string, (path: string) => void]>([
  ['a bit that has changed', damage],
  ['a pack that was cut', (path) => truncateSync(path, 50_000)],
])('%s is reported, others are unharmed, and nothing is built on it', async (_name, harm) => {
  const chunks = newChunks(10);
  const [broken, other] = [await save(chunks), await save(newChunks(10))];
  const [name = ''] = packsOf(broken);
  harm(join(root, broken, name));
  await expect(read(store, broken)).rejects.toMatchObject({
    code: 'internal',
    reason: 'CheckpointFailed',
    message: expect.stringMatching(new RegExp(`${broken} is damaged.*${name.slice(5)}`)),
  });
  expect(await read(store, other)).toHaveLength(100_000);
  await expect.poll(objects).toHaveLength(1);
  expect(await baseOf([broken])).toBeUndefined();
  // The same files again are stored again.
  const again = await save(chunks);
  expect(await read(store, again)).toEqual(Buffer.concat(chunks));
  expect(await baseOf([broken])).toBeUndefined();
  expect(await baseOf([again])).toBe(again);
});

test.each<[string, (rows: unknown[][]) => void]>([
  ['a length that no memory has', (rows) => rows[0]?.splice(3, 1, 9e12)],
  ['a length beyond its pack', (rows) => rows[0]?.splice(3, 1, 2 ** 31)],
  ['a chunk that is missing', (rows) => rows.pop()],
  ['another order', (rows) => rows.reverse()],
])('a list of chunks with %s is not read, nor built on', async (_name, harm) => {
  const id = await save(newChunks(3));
  const path = join(root, id, 'chunks.json');
  const list = JSON.parse(readFileSync(path, 'utf8'));
  harm(list.chunks);
  writeFileSync(path, JSON.stringify(list));
  const error = { code: 'internal', reason: 'CheckpointFailed', message: /chunks.json is not what/ };
  await expect(store.open(id)).rejects.toMatchObject(error);
  expect(await baseOf([id])).toBeUndefined();
});

test('a checkpoint with a missing file is damaged, and not missing', async () => {
  const id = await save(newChunks(3));
  unlinkSync(join(root, id, packsOf(id)[0] ?? ''));
  await expect(store.open(id)).rejects.toMatchObject({ message: /a file of its archive is missing/ });
});

test('damage that is found while chunks are copied fails that checkpoint, and the next one succeeds', async () => {
  const chunks = newChunks(10);
  const base = await save(chunks);
  damage(join(root, base, packsOf(base)[0] ?? ''));
  const middle = chunks.slice(4, 7);
  await expect(save(middle, base, middle)).rejects.toThrow(/damaged/);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  expect(await read(store, await save(middle, undefined))).toEqual(Buffer.concat(middle));
  expect(await baseOf([base])).toBeUndefined();
});

test('a writer that is killed at any step leaves nothing that is visible or damaged', {
  timeout: 60_000,
}, async () => {
  const chunks = newChunks(30, 100_000);
  const base = await save(chunks);
  const script = `
    import { randomBytes } from 'node:crypto';
    import { CheckpointDirectory } from ${JSON.stringify(join(import.meta.dirname, '../../src/checkpoints/directory.ts'))};
    const store = new CheckpointDirectory(${JSON.stringify(root)});
    const known = ${JSON.stringify(chunks.map(sha256))};
    console.log('writing');
    for (;;) {
      const parts = (async function* () {
        for (const one of known) yield Math.random() < 0.5 ? { known: one } : { bytes: randomBytes(100_000) };
      })();
      const checkpoint = { ...${JSON.stringify(newCheckpoint())}, checkpoint_id: crypto.randomUUID() };
      const open = async () => ({ source: { format: 'tar.zst', parts, warnings: () => [], destroy() {} } });
      await store.write(checkpoint, { findBases: async () => [${JSON.stringify(base)}], open, mostBytes: 1e9 });
      await store.remove(checkpoint.checkpoint_id);
    }
  `;
  for (let n = 0; n < 8; n += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const before = objects().length;
    await expect
      .poll(() => objects().length !== before || readdirSync(join(root, 'tmp')).length > 0, { interval: 1 })
      .toBe(true);
    await new Promise((resolve) => setTimeout(resolve, n * 7));
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const { checkpoint_id } of await store.list())
      expect((await read(store, checkpoint_id))?.length).toBe(3_000_000);
  }
  expect(await read(store, base)).toEqual(Buffer.concat(chunks));
  const later = new CheckpointDirectory(root, () => Date.now() + 3_600_000);
  for (const { checkpoint_id } of await later.list())
    if (checkpoint_id !== base) await later.remove(checkpoint_id);
  await later.clean();
  expect([readdirSync(join(root, 'tmp')), objects().length, existsSync(join(root, base))]).toEqual([
    [],
    1,
    true,
  ]);
});

test('an archive that breaks off leaves the base as it was', async () => {
  const chunks = newChunks(5);
  const base = await save(chunks);
  async function* broken() {
    yield { known: sha256(chunks[0] as Buffer) };
    yield { bytes: randomBytes(1000) };
    throw new Error('the body has gone');
  }
  const open = async () => ({
    source: { ...toSource([]), parts: Readable.from(broken()) },
    conversation: undefined,
  });
  const writing = store.write(newCheckpoint(), {
    findBases: async () => [base],
    open,
    mostBytes: 1e9,
  });
  await expect(writing).rejects.toThrow('the body has gone');
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  expect(await read(store, base)).toEqual(Buffer.concat(chunks));
});
