import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { Checkpoints, type CheckpointsOptions } from '../../src/checkpoints/checkpoints.ts';
import { CheckpointDirectory } from '../../src/checkpoints/directory.ts';
import { newCheckpoint, newFolder, read, toSource, write } from './fixture.ts';

const ids = async (store: CheckpointDirectory) => (await store.list()).map((one) => one.checkpoint_id);

test('what one manager writes, another one lists, reads and deletes', async () => {
  const root = join(newFolder(), 'not', 'there', 'yet');
  const [one, other] = [new CheckpointDirectory(root), new CheckpointDirectory(root)];
  expect(await one.list()).toEqual([]);
  expect(await one.get(randomUUID())).toBeUndefined();
  expect(await one.open(randomUUID())).toBeUndefined();
  expect(await one.remove(randomUUID())).toBe(false);
  const content = randomBytes(3e6);
  const archive = Buffer.from('conversation');
  const written = await one.write(newCheckpoint({ worker_name: 'ü/../x' }), {
    findBases: async () => [],
    open: async () => ({
      source: toSource(Readable.from([content.subarray(0, 1e6), content.subarray(1e6)]), ['a file']),
      conversation: { session: 'session', archive },
    }),
    mostBytes: 3e6,
  });
  const { checkpoint_id: id } = written;
  expect(written).toMatchObject({ bytes: 3e6, conversation: true, warnings: ['a file'] });
  expect(await other.get(id)).toEqual(written);
  expect(await other.list()).toMatchObject([{ checkpoint_id: id, bytes: 3e6, worker_name: 'ü/../x' }]);
  expect(await read(other, id)).toEqual(content);
  expect(await other.conversation(id)).toEqual({ session: 'session', archive });
  for (const name of readdirSync(join(root, id)))
    expect([name, statSync(join(root, id, name)).mode & 0o777]).toEqual([name, 0o600]);
  await other.expire(id, '2031-01-01T00:00:00.000Z');
  expect(await one.get(id)).toMatchObject({ expires_at: '2031-01-01T00:00:00.000Z' });
  await one.expire(id, undefined);
  expect(await other.get(id)).not.toHaveProperty('expires_at');
  expect(await other.remove(id)).toBe(true);
  // It has read it before.
  expect(await one.get(id)).toBeUndefined();
  expect(await one.list()).toEqual([]);
  expect(await read(one, id)).toBeUndefined();
  expect(readdirSync(join(root, 'objects'))).toEqual([]);
});

test('an ID that is a path is refused', async () => {
  const store = new CheckpointDirectory(newFolder());
  for (const id of ['..', '../x', '', '.', 'a/b', `${randomUUID()}/..`])
    await expect(store.open(id)).rejects.toThrow();
});

test('equal archives that are written at the same time are stored once, until the last is deleted', async () => {
  const root = newFolder();
  const content = randomBytes(100_000);
  const stores = Array.from({ length: 4 }, () => new CheckpointDirectory(root));
  const all = await Promise.all(
    stores.flatMap((store) => [write(store, { content }), write(store, { content })]),
  );
  const packOf = (id: string) =>
    join(root, id, readdirSync(join(root, id)).find((name) => name.startsWith('pack-')) ?? '');
  const inodes = new Set(all.map(({ checkpoint_id }) => statSync(packOf(checkpoint_id)).ino));
  expect(inodes.size).toBe(1);
  const [first] = stores as [CheckpointDirectory];
  const [kept, ...rest] = all.map(({ checkpoint_id }) => checkpoint_id) as [string, ...string[]];
  // Deleting and writing at once never damages what is kept.
  const more = await Promise.all([
    ...rest.map(async (id, at) => void (await stores[at % 4]?.remove(id))),
    ...stores.map(async (store) => (await write(store, { content })).checkpoint_id),
  ]);
  for (const id of [kept, ...more.filter((one) => one !== undefined)])
    expect(await read(first, id)).toEqual(content);
  for (const id of await ids(first)) await first.remove(id);
  expect(readdirSync(join(root, 'objects'))).toEqual([]);
});

test('of an archive that breaks off, is too long or cannot be written, nothing is left', async () => {
  const root = newFolder();
  const store = new CheckpointDirectory(root);
  async function* broken() {
    yield randomBytes(1000);
    throw new Error('the body has gone');
  }
  await expect(write(store, { content: Readable.from(broken()) })).rejects.toThrow('the body has gone');
  await expect(write(store, { content: randomBytes(1001), mostBytes: 1000 })).rejects.toMatchObject({
    code: 'capacity',
  });
  expect(await store.list()).toEqual([]);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  const cut = new Readable({ read() {} });
  const writing = write(store, { content: cut });
  cut.push(randomBytes(1000));
  cut.destroy();
  await expect(writing).rejects.toThrow();
  expect(await store.list()).toEqual([]);
});

test('a writer that is killed leaves nothing that is visible, and its rest is cleaned up', async () => {
  const root = newFolder();
  const script = `
    import { Readable } from 'node:stream';
    import { CheckpointDirectory } from ${JSON.stringify(join(import.meta.dirname, '../../src/checkpoints/directory.ts'))};
    const parts = new Readable({ objectMode: true, read() {} });
    parts.push({ bytes: Buffer.alloc(1000) });
    const source = { format: 'tar.zst', parts, warnings: () => [], destroy() {} };
    const open = async () => ({ source, conversation: undefined });
    void new CheckpointDirectory(${JSON.stringify(root)}).write(${JSON.stringify(newCheckpoint())},
      { findBases: async () => [], open, mostBytes: 1e6 });
    setInterval(() => {}, 1000);
    console.log('writing');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await expect.poll(() => existsSync(join(root, 'tmp')) && readdirSync(join(root, 'tmp')).length).toBe(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const store = new CheckpointDirectory(root);
  expect(await store.list()).toEqual([]);
  await store.clean();
  expect(readdirSync(join(root, 'tmp'))).toHaveLength(1);
  const later = new CheckpointDirectory(root, () => Date.now() + 3_600_000);
  await later.clean();
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('content that a killed writer has shared and not named is cleaned up', async () => {
  const root = newFolder();
  const store = new CheckpointDirectory(root);
  const { checkpoint_id: id } = await write(store);
  writeFileSync(join(root, 'objects', 'f'.repeat(64)), 'left');
  await store.clean();
  expect(readdirSync(join(root, 'objects'))).toHaveLength(1);
  expect(await read(store, id)).toHaveLength(1000);
});

test('a reader is known to other managers, until it ends or has died', async () => {
  const root = newFolder();
  const [one, other] = [new CheckpointDirectory(root), new CheckpointDirectory(root)];
  const { checkpoint_id: id } = await write(one, { content: randomBytes(2e6) });
  expect(await other.isRead(id)).toBe(false);
  const opened = await one.open(id);
  expect(await other.isRead(id)).toBe(true);
  // It gets everything, even if a user deletes the checkpoint.
  await other.remove(id);
  let bytes = 0;
  for await (const part of opened?.stream ?? []) bytes += (part as Buffer).length;
  expect(bytes).toBe(2e6);
  const { checkpoint_id: next } = await write(one);
  const mark = join(root, next, 'reading-1');
  writeFileSync(mark, '');
  expect(await other.isRead(next)).toBe(true);
  utimesSync(mark, 1, 1);
  expect(await other.isRead(next)).toBe(false);
  expect(existsSync(mark)).toBe(false);
});

test('a damaged record hides its checkpoint and nothing else', async () => {
  const root = newFolder();
  const store = new CheckpointDirectory(root);
  const good = await write(store);
  for (const text of ['', '{', '{}', '[]', JSON.stringify({ ...good, bytes: 'many' })]) {
    const { checkpoint_id: id } = await write(store);
    writeFileSync(join(root, id, 'record.json'), text);
  }
  const fresh = new CheckpointDirectory(root);
  expect(await ids(fresh)).toEqual([good.checkpoint_id]);
});

test('a folder that cannot be written is an error', async ({ skip }) => {
  skip(process.getuid?.() === 0, 'Root may write in any folder.');
  const root = newFolder();
  chmodSync(root, 0o500);
  await expect(write(new CheckpointDirectory(root))).rejects.toMatchObject({ code: 'EACCES' });
});

test('a folder that its file system refuses to make is an error, and not an endless loop', async () => {
  await expect(write(new CheckpointDirectory('/proc/no/folder'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a directory that cannot be read is reported with its cause', async () => {
  const file = join(newFolder(), 'file');
  writeFileSync(file, '');
  const checkpoints = new Checkpoints({
    store: new CheckpointDirectory(file),
  } as unknown as CheckpointsOptions);
  const error = { code: 'unavailable', message: /^CHECKPOINT_DIR cannot be used: ENOTDIR/ };
  await expect(checkpoints.list()).rejects.toMatchObject(error);
  for (const read of ['get', 'open', 'remove'] as const)
    await expect(checkpoints[read](randomUUID())).rejects.toMatchObject(error);
});
