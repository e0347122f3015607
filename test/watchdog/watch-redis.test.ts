import { expect, test, vi } from 'vitest';
import { watchRedis } from '../../src/watchdog/watch-redis.ts';
import { PATIENCE } from '../support/patience.ts';

test('a Redis that hangs is reported within two intervals, and its return at once', async () => {
  const reports: string[] = [];
  let answer = () => {};
  let hangs = false;
  const ping = () => (hangs ? new Promise<void>((resolve) => (answer = resolve)) : Promise.resolve());
  const stop = watchRedis(ping, (ok, message) => reports.push(`${ok} ${message}`), 20);
  try {
    await vi.waitFor(() => expect(reports.at(-1)).toBe('true answers'), PATIENCE);
    hangs = true;
    await vi.waitFor(() => expect(reports.at(-1)).toBe('false has not answered for 0.02 s'), PATIENCE);
    hangs = false;
    answer();
    await vi.waitFor(() => expect(reports.at(-1)).toBe('true answers'), PATIENCE);
  } finally {
    stop();
  }
});
