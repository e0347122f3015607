import { expect, test, vi } from 'vitest';
import { shareWaits } from '../../src/store/streams/share-waits.ts';
import { PATIENCE } from '../support/patience.ts';

const ENDED = {
  outcome: 'reached',
  observation: { deleted: false, current: true, status: undefined },
} as const;

function open() {
  const begun: { id: string; signal: AbortSignal; end: () => void; fail: (error: Error) => void }[] = [];
  const wait = shareWaits((id, _goal, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<typeof ENDED>();
    begun.push({ id, signal, end: () => resolve(ENDED), fail: reject });
    return promise;
  });
  return { begun, wait };
}

test('those that wait for one goal of one worker wait as one, and the next one observes again', async () => {
  const { begun, wait } = open();
  const { signal } = new AbortController();
  const waits = [wait('a', 'ended', signal), wait('a', 'ended', signal), wait('b', 'ended', signal)];
  void wait('a', 'deleted', signal);
  expect(begun.map(({ id }) => id)).toEqual(['a', 'b', 'a']);
  begun[0]?.end();
  begun[1]?.end();
  expect(await Promise.all(waits)).toEqual([ENDED, ENDED, ENDED]);
  void wait('a', 'ended', signal);
  expect(begun).toHaveLength(4);
});

test('a wait ends with its own signal, and the common one with the last of them', async () => {
  const { begun, wait } = open();
  const [first, second] = [new AbortController(), new AbortController()];
  const waits = [wait('a', 'ended', first.signal), wait('a', 'ended', second.signal)];
  first.abort();
  expect((await waits[0])?.outcome).toBe('late');
  expect(begun[0]?.signal.aborted).toBe(false);
  second.abort();
  expect((await waits[1])?.outcome).toBe('late');
  expect(begun[0]?.signal.aborted).toBe(true);
  void wait('a', 'ended', new AbortController().signal);
  expect(begun).toHaveLength(2);
});

test('a failure is that of all who wait, and of none that comes later', async () => {
  const { begun, wait } = open();
  const { signal } = new AbortController();
  const waits = [wait('a', 'ended', signal), wait('a', 'ended', signal)].map((one) => one.catch(String));
  begun[0]?.fail(new Error('broken'));
  expect(await Promise.all(waits)).toEqual(['Error: broken', 'Error: broken']);
  void wait('a', 'ended', signal);
  await vi.waitFor(() => expect(begun).toHaveLength(2), PATIENCE);
});
