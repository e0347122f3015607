import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { connectCommands, type StreamEntry, StreamHub } from '../../src/store/index.ts';
import { newCell } from '../support/manager.ts';

function open() {
  const url = inject('redisUrl');
  const prefix = newCell();
  const [redis, writer] = [connectCommands(url), new Redis(url)];
  redis.on('error', () => {});
  const hub = new StreamHub(redis, url);
  const end = new AbortController();
  const keys = new Set<string>();
  onTestFinished(async () => {
    end.abort();
    hub.close();
    await writer.del(...keys, 'none');
    redis.disconnect();
    writer.disconnect();
  });
  const add = async (name: string, ...values: string[]) => {
    keys.add(`${prefix}:${name}`);
    for (const value of values) await writer.xadd(`${prefix}:${name}`, '*', 'data', value);
  };
  /** Collects until there are `count`. */
  const read = (name: string, from = '0', signal = end.signal) =>
    hub.read(`${prefix}:${name}`, { from, follow: true, signal });
  return { redis, writer, hub, prefix, add, read, end };
}

async function take(source: AsyncIterable<StreamEntry[]>, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const entries of source) {
    found.push(...entries.map(({ data }) => data));
    if (found.length >= count) break;
  }
  return found;
}

test('readers of several streams get stored and new entries, in order, through one connection', async () => {
  const { add, read, writer } = open();
  await add('a', 'a1', 'a2');
  const first = take(read('a'), 4);
  const second = take(read('b'), 2);
  await vi.waitFor(async () => expect(await writer.client('LIST')).toMatch(/cmd=xread/), { timeout: 5000 });
  await add('a', 'a3');
  await add('b', 'b1');
  // It joins a stream that is followed already, from its beginning.
  const third = take(read('a'), 4);
  await add('a', 'a4');
  await add('b', 'b2');
  expect(await first).toEqual(['a1', 'a2', 'a3', 'a4']);
  expect(await second).toEqual(['b1', 'b2']);
  expect(await third).toEqual(['a1', 'a2', 'a3', 'a4']);
});

test('a new stream is followed at once, while the others are silent', async () => {
  const { add, read } = open();
  await add('silent', 's1');
  void take(read('silent'), 2).catch(() => {});
  const began = performance.now();
  for (let round = 0; round < 5; round++) {
    const found = take(read(`new-${round}`), 1);
    await add(`new-${round}`, 'x');
    expect(await found).toEqual(['x']);
  }
  // A blocking read of the others would delay each by up to 2 s.
  expect(performance.now() - began).toBeLessThan(5000);
});

test('a reader that is slower than its stream loses nothing', async () => {
  const { add, read, writer, prefix } = open();
  await add('fast', '0');
  const found: string[] = [];
  for await (const entries of read('fast')) {
    found.push(...entries.map(({ data }) => data));
    if (found.length === 1) {
      const writes = writer.pipeline();
      for (let value = 1; value <= 2000; value++) writes.xadd(`${prefix}:fast`, '*', 'data', String(value));
      await writes.exec();
    }
    if (found.length > 2000) break;
  }
  expect(found).toEqual(Array.from({ length: 2001 }, (_, value) => String(value)));
});

test('a key that is not a stream stops only its own readers', async () => {
  const { add, read, writer, prefix } = open();
  await add('good', 'g1');
  void take(read('bad'), 1).catch(() => {});
  const good = take(read('good'), 2);
  await add('bad');
  await writer.set(`${prefix}:bad`, 'text');
  await add('good', 'g2');
  expect(await good).toEqual(['g1', 'g2']);
});

test('a reader ends with its signal', async () => {
  const { add, read } = open();
  await add('a', 'a1');
  const end = new AbortController();
  const found: string[] = [];
  for await (const entries of read('a', '0', end.signal)) {
    found.push(...entries.map(({ data }) => data));
    setImmediate(() => end.abort());
  }
  expect(found).toEqual(['a1']);
});

test('a hundred readers get every entry once and in order, and do not delay the reader of another stream', async () => {
  const { add, read, prefix, writer } = open();
  const values = Array.from({ length: 500 }, (_, n) => String(n));
  const crowd = Array.from({ length: 100 }, () => take(read('crowded'), values.length));
  await vi.waitFor(async () => expect(await writer.client('LIST')).toMatch(/cmd=xread/), { timeout: 5000 });
  await add('crowded', '0');
  // The crowd's stream pauses now, and this one is followed at once anyway.
  const other = take(read('alone'), 1);
  await add('alone', 'x');
  expect(await other).toEqual(['x']);
  const pipeline = writer.pipeline();
  for (const value of values.slice(1)) pipeline.xadd(`${prefix}:crowded`, '*', 'data', value);
  await pipeline.exec();
  for (const found of await Promise.all(crowd)) expect(found).toEqual(values);
});
