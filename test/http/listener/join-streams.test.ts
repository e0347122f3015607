/** Two joined connections. */
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { joinStreams } from '../../../src/http/listener/join-streams.ts';

/** A connection whose other side has sent this, and reads what is written when `release` is called. */
function connection(sent: string[], isSlow = false) {
  const written: string[] = [];
  let waiting: (() => void) | undefined;
  const stream = new Duplex({
    read() {
      this.push(sent.shift() ?? null);
    },
    write(part, _encoding, done) {
      written.push(String(part));
      if (isSlow) waiting = done;
      else done();
    },
  });
  stream.on('error', () => {});
  return { stream, written, release: () => waiting?.() };
}

test('what was sent before a clean end arrives, although the reader is slower than the end', async () => {
  const fast = connection(['one', 'two']);
  const slow = connection([], true);
  joinStreams(fast.stream, slow.stream);
  await once(fast.stream, 'close');
  expect([slow.written, slow.stream.destroyed]).toEqual([['one'], false]);
  slow.release();
  await new Promise(setImmediate);
  slow.release();
  await once(slow.stream, 'close');
  expect(slow.written).toEqual(['one', 'two']);
});

test('a broken connection breaks the other one', async () => {
  const broken = connection(['one'], true);
  const whole = connection([], true);
  joinStreams(broken.stream, whole.stream);
  broken.stream.destroy(new Error('reset'));
  await once(whole.stream, 'close');
  expect(whole.stream.writableFinished).toBe(false);
});
