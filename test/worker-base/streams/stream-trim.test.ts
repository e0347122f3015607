import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { OUTPUT_BYTES, OUTPUT_MAXLEN, OUTPUT_MINLEN } from '../../../worker-base/streams/limits.ts';
import { OutputBound } from '../../../worker-base/streams/stream-trim.ts';

type Reply = [Error | null, unknown];

/** A bound over a stream for which Redis returns this. */
function subject(...asked: (Reply[] | Error)[]) {
  let questions = 0;
  const pipeline = {
    xlen: () => pipeline,
    call: () => pipeline,
    exec: async () => {
      const replies = asked[questions++];
      if (!Array.isArray(replies)) throw replies ?? new Error('It was not to be asked.');
      return replies;
    },
  };
  const bound = new OutputBound({ pipeline: () => pipeline } as unknown as Redis, 'output');
  let seq = 0;
  const add = (count: number, bytes: number) => {
    const data = 'x'.repeat(bytes);
    let maxlen = 0;
    for (let at = 0; at < count; at += 1) maxlen = bound.maxlen({ seq: ++seq, data });
    return maxlen;
  };
  const learn = async () => {
    bound.learn();
    await new Promise(setImmediate);
  };
  return { bound, add, learn, questions: () => questions };
}

const KIB = 1024;
const fits = (bytes: number) => Math.floor(OUTPUT_BYTES / bytes);

test('small entries are bounded by their number, large ones by their bytes, and it rises again', () => {
  const { add } = subject();
  expect(add(20_000, 10)).toBe(OUTPUT_MAXLEN);
  expect(add(2000, 60 * KIB)).toBe(fits(60 * KIB));
  const mixed = add(5000, 1 * KIB);
  expect(mixed).toBe(5000 + fits(60 * KIB) - Math.ceil((5000 * KIB) / (60 * KIB)));
  expect(add(30_000, 1 * KIB)).toBe(OUTPUT_MAXLEN);
});

test('until the bytes are reached nothing is trimmed that stood there before', () => {
  const { add } = subject();
  expect(add(fits(60 * KIB), 60 * KIB)).toBe(OUTPUT_MAXLEN);
  expect(add(1, 60 * KIB)).toBe(fits(60 * KIB));
});

test('a few are kept however large they are', () => {
  expect(subject().add(200, 2 * 1024 * KIB)).toBe(OUTPUT_MINLEN);
});

test('what is sent again counts once, in whatever order', () => {
  const { bound } = subject();
  const data = 'x'.repeat(60 * KIB);
  let last = 0;
  for (let round = 0; round < 3; round += 1)
    for (let seq = 1; seq <= fits(60 * KIB); seq += 1) last = bound.maxlen({ seq, data });
  expect(last).toBe(OUTPUT_MAXLEN);
});

describe('what former bodies have left', () => {
  const left = (count: number, bytes: number): Reply[] => [
    [null, count],
    [null, bytes],
  ];

  test('counts with its mean, and goes first', async () => {
    const { add, learn, questions } = subject(left(1000, 60 * 1024 * KIB));
    await learn();
    expect(add(1, 1)).toBe(OUTPUT_MAXLEN);
    expect(add(200, 60 * KIB)).toBeLessThan(1100);
    await learn();
    expect(questions()).toBe(1);
  });

  test('counts if it is set after the first entries were sent, and is read again after an error of the connection', async () => {
    const { add, learn } = subject(new Error('Connection is closed.'), left(1010, 63 * 1024 * KIB));
    await learn();
    expect(add(10, 60 * KIB)).toBe(OUTPUT_MAXLEN);
    await learn();
    expect(add(100, 60 * KIB)).toBeLessThan(1100);
  });

  test('is ignored if it cannot be read', async () => {
    const denied = Object.assign(new Error('NOPERM'), { name: 'ReplyError' });
    const { add, learn, questions } = subject([
      [null, 5],
      [denied, undefined],
    ]);
    await learn();
    await learn();
    expect(questions()).toBe(1);
    expect(add(1, 1)).toBe(OUTPUT_MAXLEN);
  });
});
