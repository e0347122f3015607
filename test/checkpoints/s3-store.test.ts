/** Checkpoints in a bucket of S3, with its real client against a small server. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { expireDeleted, keepBudget, sumCheckpointBytes } from '../../src/checkpoints/limits.ts';
import { CheckpointBucket } from '../../src/checkpoints/s3-store.ts';
import { parseCheckpointPlace } from '../../src/model/index.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';
import { newChunks, toParts } from './chunk-fixture.ts';
import { newCheckpoint, newFolder, read, toSource, write } from './fixture.ts';

let server: S3Server;
let spool: string;

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  server = await startS3Server();
  spool = newFolder();
  onTestFinished(() => server.close());
});
afterEach(() => vi.unstubAllEnvs());

function open(now?: () => number): CheckpointBucket {
  const place = parseCheckpointPlace(server.url);
  if (place?.kind !== 's3') throw new Error('this is not a bucket');
  return new CheckpointBucket({ ...place, prefix: `${place.prefix}cell/` }, spool, now && { now });
}
const ids = async (store: CheckpointBucket) => (await store.list()).map((one) => one.checkpoint_id);

test.each([
  ['/srv/checkpoints', { kind: 'directory', path: '/srv/checkpoints' }],
  ['s3://my-bucket', { bucket: 'my-bucket', prefix: '', endpoint: undefined, region: undefined }],
  ['s3://my-bucket/a/b?region=eu-1', { bucket: 'my-bucket', prefix: 'a/b/', region: 'eu-1' }],
  [
    's3+https://minio.example:9000/bucket/a',
    { bucket: 'bucket', prefix: 'a/', endpoint: 'https://minio.example:9000' },
  ],
  ['s3+http://127.0.0.1/bucket', { bucket: 'bucket', prefix: '', endpoint: 'http://127.0.0.1' }],
])('%s is a place for checkpoints', (text, expected) => {
  expect(parseCheckpointPlace(text)).toMatchObject(expected);
});

test.each([
  '',
  'relative',
  's3://',
  's3:/a',
  's3+https://host',
  's3://key:secret@bucket',
  's3://bucket?a=b',
  'https://x/y',
])('"%s" is none', (text) => {
  expect(parseCheckpointPlace(text)).toBeUndefined();
});

test('what one manager writes, another one lists, reads and deletes', async () => {
  const [one, other] = [open(), open()];
  expect(await one.list()).toEqual([]);
  expect(await one.get(randomUUID())).toBeUndefined();
  expect(await one.open(randomUUID())).toBeUndefined();
  const content = randomBytes(3e6);
  const archive = Buffer.from('conversation');
  const written = await one.write(newCheckpoint({ worker_name: 'ü' }), {
    findBases: async () => [],
    open: async () => ({
      source: toSource(Readable.from([content.subarray(0, 1e6), content.subarray(1e6)]), ['a file']),
      conversation: { session: 'session', archive },
    }),
    mostBytes: 3e6,
  });
  const { checkpoint_id: id } = written;
  expect(readdirSync(spool)).toEqual([]);
  expect(await other.get(id)).toEqual(written);
  for (let n = 0; n < 6; n += 1) await write(one);
  expect(await ids(other)).toHaveLength(7);
  expect(await read(other, id)).toEqual(content);
  expect(await other.conversation(id)).toEqual({ session: 'session', archive });
  await other.expire(id, '2031-01-01T00:00:00.000Z');
  await other.expire(id, '2032-01-01T00:00:00.000Z');
  expect(await one.get(id)).toMatchObject({ expires_at: '2032-01-01T00:00:00.000Z' });
  expect((await one.list()).find((each) => each.checkpoint_id === id)).toMatchObject({ bytes: 3e6 });
  await one.expire(id, undefined);
  expect(await other.get(id)).not.toHaveProperty('expires_at');
  expect(await other.remove(id)).toBe(true);
  expect(await other.remove(id)).toBe(false);
  expect(await one.get(id)).toBeUndefined();
  await expect.poll(() => [...server.objects.keys()].filter((key) => key.includes(id))).toEqual([]);
});

test('of an archive that breaks off, or cannot be stored, nothing is visible, and the rest is cleaned up', async () => {
  const store = open();
  async function* broken() {
    yield randomBytes(1000);
    throw new Error('the body has gone');
  }
  await expect(write(store, { content: Readable.from(broken()) })).rejects.toThrow('the body has gone');
  await expect(write(store, { content: randomBytes(1001), mostBytes: 1000 })).rejects.toMatchObject({
    code: 'capacity',
  });
  server.fail = (method, key) => (method === 'PUT' && key.endsWith('record.json') ? 403 : undefined);
  await expect(write(store)).rejects.toThrow();
  // The manager was killed before it could delete anything.
  server.fail = (method, key) =>
    (method === 'PUT' && key.endsWith('record.json')) || method === 'DELETE' ? 403 : undefined;
  await expect(write(store)).rejects.toThrow();
  server.fail = () => undefined;
  expect([await store.list(), readdirSync(spool), server.objects.size]).toEqual([[], [], 2]);
  writeFileSync(join(spool, `${randomUUID()}.tmp`), 'a part');
  await store.clean();
  expect([server.objects.size, readdirSync(spool).length]).toEqual([2, 1]);
  let now = Date.now() + 7_200_000;
  const later = open(() => now);
  await later.clean();
  expect([[...server.objects.keys()].map((key) => key.includes('/packs/')), readdirSync(spool)]).toEqual([
    [true],
    [],
  ]);
  // A pack is kept for an hour after it was seen without a checkpoint.
  now += 3_600_000;
  await later.clean();
  expect(server.objects.size).toBe(0);
});

test('the budget counts every archive, and spares one that is being read', async () => {
  const store = open();
  const content = randomBytes(100_000);
  const first = await write(store, { content });
  const second = await write(store, { content });
  expect(sumCheckpointBytes(await store.list())).toBeGreaterThan(200_000);
  const reading = await store.open(first.checkpoint_id);
  expect(await open().isRead(first.checkpoint_id)).toBe(true);
  expect(await keepBudget(store, 150_000)).toEqual([second.checkpoint_id]);
  reading?.stream.destroy();
  await expect.poll(() => store.isRead(first.checkpoint_id)).toBe(false);
  await expireDeleted(store, { exists: () => false, retentionMs: 1000, now: 0 });
  await expireDeleted(store, { exists: () => false, retentionMs: 1000, now: 2000 });
  expect(await store.list()).toEqual([]);
});

test('only new chunks are sent to the bucket, and each checkpoint can be read after the others were deleted', async () => {
  let now = Date.now();
  const store = open(() => now);
  const packs = () => [...server.objects].filter(([key]) => key.includes('/packs/'));
  const packed = () => packs().reduce((sum, [, { content }]) => sum + content.length, 0);
  let chunks = newChunks(20);
  const states: { id: string; whole: Buffer }[] = [];
  for (let n = 0; n < 25; n += 1) {
    const last = states.at(-1);
    const next = last ? chunks.map((chunk, at) => (at === n % 20 ? randomBytes(10_000) : chunk)) : chunks;
    const { checkpoint_id: id } = await store.write(newCheckpoint(), {
      findBases: async () => (last ? [last.id] : []),
      open: async (base) => ({
        source: toSource(toParts(next, base === undefined ? [] : chunks)),
        conversation: undefined,
      }),
      mostBytes: 1e9,
    });
    states.push({ id, whole: Buffer.concat(next) });
    chunks = next;
  }
  // Every sixteenth is stored whole.
  expect(packed()).toBeLessThan(700_000);
  for (const { id, whole } of states) expect((await read(open(), id))?.equals(whole)).toBe(true);
  const kept = states.splice(12, 1)[0];
  for (const { id } of states) await store.remove(id);
  for (let minutes = 0; minutes <= 60; minutes += 30, now += 1_800_000) await store.clean();
  expect((await read(store, kept?.id ?? ''))?.equals(kept?.whole ?? Buffer.alloc(0))).toBe(true);
  expect(packed()).toBeLessThan(400_000);
  await store.remove(kept?.id ?? '');
  for (let minutes = 0; minutes <= 60; minutes += 30, now += 1_800_000) await store.clean();
  expect(server.objects.size).toBe(0);
});

test('the base may be deleted while its packs are used again, and a slow upload fails', async () => {
  let now = Date.now();
  const store = open(() => now);
  const chunks = newChunks(5);
  const { checkpoint_id: base } = await write(store, { content: toParts(chunks) });
  const again = (slow: number) =>
    store.write(newCheckpoint(), {
      findBases: async () => [base],
      open: async (found) => {
        expect(found).toBe(base);
        await store.remove(base);
        await store.clean();
        now += slow;
        await store.clean();
        return { source: toSource(toParts(chunks, chunks)), conversation: undefined };
      },
      mostBytes: 1e9,
    });
  const { checkpoint_id: id } = await again(1_500_000);
  expect(await read(store, id)).toEqual(Buffer.concat(chunks));
  const { checkpoint_id: other } = await write(store, { content: toParts(chunks) });
  const slow = store.write(newCheckpoint(), {
    findBases: async () => [base, other],
    open: async (found) => {
      // The first one does not exist any more.
      expect(found).toBe(other);
      now += 2_000_000;
      return { source: toSource(toParts(chunks, chunks)), conversation: undefined };
    },
    mostBytes: 1e9,
  });
  await expect(slow).rejects.toMatchObject({ code: 'unavailable', message: /took too long/ });
});

test('packs are kept while a record cannot be read, and a damaged one is reported and not built on', async () => {
  let now = Date.now();
  const store = open(() => now);
  const chunks = newChunks(3);
  const { checkpoint_id: id } = await write(store, { content: toParts(chunks) });
  const { checkpoint_id: other } = await write(store, { content: toParts(chunks) });
  const find = (part: string) => [...server.objects].find(([key]) => key.includes(part));
  const record = find(`${id}/record.json`)?.[1];
  const text = record?.content ?? Buffer.alloc(0);
  if (record) record.content = Buffer.from('{"of":"a newer version"}');
  const fresh = open(() => now);
  for (let hours = 0; hours < 3; hours += 1, now += 3_600_000) await fresh.clean();
  if (record) record.content = text;
  expect(await read(open(), id)).toEqual(Buffer.concat(chunks));
  const pack = find('/packs/')?.[1];
  if (pack)
    pack.content = Buffer.concat([
      pack.content.subarray(0, 15_000),
      Buffer.from('damaged'),
      pack.content.subarray(15_007),
    ]);
  const results = await Promise.allSettled([read(open(), id), read(open(), other)]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { reason: 'CheckpointFailed', message: expect.stringMatching(/is damaged/) },
  });
  const broken = results[0]?.status === 'rejected' ? id : other;
  await store.write(newCheckpoint(), {
    findBases: async () => [broken],
    open: async (found) => {
      expect(found).toBeUndefined();
      return { source: toSource(toParts(chunks)), conversation: undefined };
    },
    mostBytes: 1e9,
  });
});
