import { expect, test } from 'vitest';
import { FollowedStreams } from '../../src/store/streams/followed-streams.ts';
import { Listener } from '../../src/store/streams/stream-listener.ts';

const entries = [{ id: '7-0', data: '{}' }];

/** A stream with that many readers. */
function follow(streams: FollowedStreams, key: string, readers: number): void {
  const followed = streams.add(key, '1-0', new Listener());
  for (let n = 1; n < readers; n += 1) followed.listeners.add(new Listener());
}

test('what many read is collected before it is read again, and what few read is not', () => {
  const streams = new FollowedStreams();
  follow(streams, 'few', 4);
  follow(streams, 'many', 20);
  follow(streams, 'crowd', 1000);
  expect(streams.due(0)).toEqual({
    keys: ['few', 'many', 'crowd'],
    ids: ['1-0', '1-0', '1-0'],
    waitMs: Number.POSITIVE_INFINITY,
  });
  for (const key of ['few', 'many', 'crowd']) streams.deliver(key, entries, false, 100);
  expect(streams.due(101)).toEqual({ keys: ['few'], ids: ['7-0'], waitMs: 19 });
  expect(streams.due(120)).toEqual({ keys: ['few', 'many'], ids: ['7-0', '7-0'], waitMs: 80 });
  expect(streams.due(200).keys).toEqual(['few', 'many', 'crowd']);
});

test('a backlog is read without a pause, and new readers of a paused stream keep it paused', () => {
  const streams = new FollowedStreams();
  follow(streams, 'many', 100);
  streams.deliver('many', entries, true, 100);
  expect(streams.due(100).keys).toEqual(['many']);
  streams.deliver('many', entries, false, 100);
  streams.get('many')?.listeners.add(new Listener());
  expect(streams.due(150)).toEqual({ keys: [], ids: [], waitMs: 50 });
});

test('a stream without readers is not read', () => {
  const streams = new FollowedStreams();
  const listener = new Listener();
  streams.add('a', '0-0', listener);
  streams.remove('a', listener);
  streams.deliver('a', entries, false);
  expect([streams.size, streams.due().keys]).toEqual([0, []]);
});
