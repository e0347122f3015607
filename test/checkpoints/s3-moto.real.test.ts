/** Checkpoints in a bucket of a maintained server of S3 (moto), and what goes wrong there. Prints a reason if there is no PyPI. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { CheckpointBucket } from '../../src/checkpoints/s3-store.ts';
import { parseCheckpointPlace } from '../../src/model/index.ts';
import { MOTO_KEYS, type Moto, startMoto } from '../support/moto.ts';
import { newCheckpoint, newFolder, read, toSource, write } from './fixture.ts';

const LONG = 240_000;
const CONTENT = randomBytes(3_000_000);
let moto: Moto;
let missing: string | undefined;
let spool: string;
let cells = 0;

beforeAll(async () => {
  const started = await startMoto();
  if (typeof started === 'string') missing = started;
  else moto = started;
}, LONG);
afterAll(() => moto?.close());
beforeEach((context) => {
  context.skip(missing !== undefined, missing);
  for (const [name, value] of Object.entries(MOTO_KEYS)) vi.stubEnv(name, value);
  spool = newFolder();
  moto.fail = () => undefined;
});
afterEach(() => vi.unstubAllEnvs());

/** A store of its own; `text` is another CHECKPOINT_DIR. */
function open(text = moto.url, silenceMs?: number): CheckpointBucket {
  const place = parseCheckpointPlace(text);
  if (place?.kind !== 's3') throw new Error('this is not a bucket');
  cells += 1;
  return new CheckpointBucket({ ...place, prefix: `${place.prefix}cell-${cells}/` }, spool, {
    ...(silenceMs !== undefined && { silenceMs }),
  });
}
const save = (store: CheckpointBucket, more: object = {}) => write(store, { content: CONTENT, ...more });
/** The first `times` requests that fit fail. */
function failFirst(times: number, fault: ReturnType<Moto['fail']>, method: string, end: string): void {
  let count = 0;
  moto.fail = (asked, key) => {
    if (asked !== method || !(end === 'pack' ? key.includes('/packs/') : key.endsWith(end))) return undefined;
    count += 1;
    return count <= times ? fault : undefined;
  };
}

test('is written, listed over pages, read and removed', async () => {
  const store = open();
  const written = await store.write(newCheckpoint({ worker_name: 'ü' }), {
    findBases: async () => [],
    open: async () => ({
      source: toSource(Readable.from([CONTENT.subarray(0, 1e6), CONTENT.subarray(1e6)]), ['a file']),
      conversation: { session: 'session', archive: Buffer.from('conversation') },
    }),
    mostBytes: CONTENT.length,
  });
  const { checkpoint_id: id } = written;
  expect(await store.get(id)).toEqual(written);
  expect(await read(store, id)).toEqual(CONTENT);
  expect(await store.conversation(id)).toMatchObject({ session: 'session' });
  await store.expire(id, '2031-01-01T00:00:00.000Z');
  expect((await store.list()).map(({ checkpoint_id, expires_at }) => [checkpoint_id, expires_at])).toEqual([
    [id, '2031-01-01T00:00:00.000Z'],
  ]);
  expect(await store.remove(id)).toBe(true);
  expect([await store.list(), await store.get(id), readdirSync(spool)]).toEqual([[], undefined, []]);
});

test.each([
  ['pack', 503, 2],
  ['pack', 500, 1],
  ['pack', 429, 1],
  ['pack', 'cut-upload', 1],
  ['pack', 'lose-reply', 1],
  ['pack', 'hang', 1],
  ['record.json', 503, 2],
  ['record.json', 'lose-reply', 1],
] as const)(
  'a temporary failure of %s (%s, %d times) is not noticed',
  async (name, fault, times) => {
    const store = open(moto.url, 500);
    failFirst(times, fault, 'PUT', name);
    const { checkpoint_id: id } = await save(store);
    expect(await read(store, id)).toEqual(CONTENT);
    expect(readdirSync(spool)).toEqual([]);
  },
  30_000,
);

test.each([
  [503, /answered with 503 \(SlowDown\)/],
  [403, /does not allow this .*s3:PutObject/],
  ['cut-upload', /cannot be reached/],
  ['hang', /cannot be reached/],
] as const)(
  'a lasting failure (%s) is reported, and leaves nothing',
  async (fault, message) => {
    const store = open(moto.url, 300);
    const { checkpoint_id: before } = await save(store);
    moto.fail = (method) => (method === 'PUT' ? fault : undefined);
    const refused = await save(store).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'unavailable', message });
    expect((refused as Error).message).toMatch(
      /^The bucket bucket at http:\/\/127\.0\.0\.1:\d+, which CHECKPOINT_DIR/,
    );
    moto.fail = () => undefined;
    expect((await store.list()).map(({ checkpoint_id }) => checkpoint_id)).toEqual([before]);
    expect((await moto.keys()).filter((key) => key.includes(`cell-${cells}/`))).toHaveLength(3);
    expect(readdirSync(spool)).toEqual([]);
  },
  30_000,
);

test('a server that is slow, but not silent, is waited for', async () => {
  const store = open(moto.url, 1500);
  moto.fail = (_method, key) => (key.includes('/packs/') ? 'slow' : undefined);
  const content = randomBytes(16_000_000);
  const { checkpoint_id: id } = await save(store, { content });
  expect((await read(store, id))?.equals(content)).toBe(true);
}, 30_000);

test('a download that is cut is an error, and never a shorter archive', async () => {
  const store = open();
  const { checkpoint_id: id } = await save(store);
  failFirst(1, 'cut-download', 'GET', 'pack');
  await expect(read(store, id)).rejects.toThrow();
  expect(await read(store, id)).toEqual(CONTENT);
});

test('a listing that is cut or refused for a moment is repeated', async () => {
  const store = open();
  await save(store);
  for (const fault of [503, 'lose-reply', 'cut-download'] as const) {
    failFirst(2, fault, 'GET', 'bucket');
    expect(await store.list(), String(fault)).toHaveLength(1);
  }
}, 30_000);

test.each(['list', 'get', 'open', 'remove', 'expire', 'conversation', 'write'] as const)(
  'without the bucket, %s fails and does not report that there is no checkpoint',
  async (operation) => {
    const store = open(moto.url.replace('/bucket/', '/no-such-bucket/'));
    const id = '3f0c4a52-3a3b-4d1e-9d0a-1a2b3c4d5e6f';
    const act = {
      list: () => store.list(),
      get: () => store.get(id),
      open: () => store.open(id),
      remove: () => store.remove(id),
      expire: () => store.expire(id, undefined),
      conversation: () => store.conversation(id),
      write: () => save(store),
    };
    await expect(act[operation]()).rejects.toMatchObject({
      code: 'unavailable',
      message: /bucket no-such-bucket at .* does not exist: create it, or correct CHECKPOINT_DIR/,
    });
  },
);

test.each([
  ['InvalidAccessKeyId', /does not accept the credentials .*check AWS_ACCESS_KEY_ID/],
  ['SignatureDoesNotMatch', /does not accept the credentials .*check AWS_ACCESS_KEY_ID/],
])('%s is explained without a secret', async (code, message) => {
  const store = open();
  moto.fail = () => ({ status: 403, code });
  const error = (await store.list().catch((thrown: unknown) => thrown)) as Error;
  expect(error.message).toMatch(message);
  expect(`${error.message}${error.stack}`).not.toContain(MOTO_KEYS.AWS_SECRET_ACCESS_KEY);
});

test('credentials that the server does not know are reported', async () => {
  const strict = (await startMoto({ auth: true })) as Moto;
  onTestFinished(() => strict.close());
  const store = open(strict.url);
  const message = /does not accept the credentials of the manager \(InvalidAccessKeyId\)/;
  for (const act of [() => store.list(), () => save(store)])
    await expect(act()).rejects.toMatchObject({ code: 'unavailable', message });
});

test('without credentials, the error names the variables', async () => {
  for (const name of Object.keys(MOTO_KEYS)) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('HOME', spool);
  await expect(open().list()).rejects.toMatchObject({
    code: 'unavailable',
    message: /needs credentials: set AWS_ACCESS_KEY_ID/,
  });
});

test('a server that is not there is reported with its address', async () => {
  await expect(open('s3+http://127.0.0.1:9/bucket').list()).rejects.toMatchObject({
    code: 'unavailable',
    message: /http:\/\/127\.0\.0\.1:9, .*cannot be reached: .*ECONNREFUSED/,
  });
});
