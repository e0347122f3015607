import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { TakeOptions } from '../../src/checkpoints/checkpoints.ts';
import { AutomaticCheckpoints } from '../../src/leader/automatic-checkpoints.ts';
import {
  type CheckpointPolicy,
  type Decision,
  Fault,
  type LifecycleEvent,
  type Observation,
} from '../../src/model/index.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { PATIENCE } from '../support/patience.ts';

type Heartbeat = Partial<NonNullable<Observation['heartbeat']>>;

function open() {
  const taken: (TakeOptions & { id: string; end: (error?: unknown) => void })[] = [];
  const filled: string[] = [];
  const events: LifecycleEvent[] = [];
  const saved: object[] = [];
  const held = new Set<string>();
  let leads = true;
  const automatic = new AutomaticCheckpoints({
    checkpoints: {
      take: (id, options) =>
        new Promise((resolve, reject) => {
          taken.push({ id, ...options, end: (error) => (error ? reject(error) : resolve({} as never)) });
        }),
      fill: async (_id, _place, checkpoint) => void filled.push(checkpoint),
      list: async () => saved as never,
      store: {
        hold: async (checkpoint) => {
          held.add(checkpoint);
          return () => held.delete(checkpoint);
        },
      },
    },
    emit: async (_id, event) => void events.push(event),
    mayAct: () => leads,
    log: createLogger({ level: 'silent', version: '0', secrets: [] }),
    now: () => 0,
  });
  const stop = new AbortController();
  const running = automatic.run(stop.signal);
  onTestFinished(() => stop.abort());
  const note = (
    heartbeat: Heartbeat,
    {
      id = 'one',
      body = 'body',
      checkpoint = { on: ['turn'] },
      from_checkpoint,
      state = 'running',
      status = 'RUNNING',
    }: {
      id?: string;
      body?: string;
      checkpoint?: CheckpointPolicy | undefined;
      from_checkpoint?: string;
      state?: string;
      status?: string;
    } = {},
  ) =>
    automatic.note(
      {
        worker_id: id,
        desired: { spec: { checkpoint, from_checkpoint } },
        actual: { kind: 'present', body: { id: body, incarnation: 1, runtime: 'process', state } },
        heartbeat: { incarnation: 1, phase: 'ready', ...heartbeat },
      } as unknown as Observation,
      { status: { status, phase: 'ready', incarnation: 1 } } as Decision,
    );
  const lose = () => {
    leads = false;
  };
  return { automatic, note, taken, filled, events, saved, held, stop, running, lose };
}
const turnsOf = (taken: ReturnType<typeof open>['taken']) => taken.map(({ turns }) => turns);

test('each turn is saved once, and turns that end meanwhile together', async () => {
  const { note, taken } = open();
  note({});
  note({ turns: 1 });
  note({ turns: 1 });
  await vi.waitFor(() => expect(turnsOf(taken)).toEqual([1]), PATIENCE);
  note({ turns: 2 });
  note({ turns: 3 });
  taken[0]?.end();
  await vi.waitFor(() => expect(turnsOf(taken)).toEqual([1, 3]), PATIENCE);
  taken[1]?.end();
  note({ turns: 3 });
  note({ turns: 4 });
  await vi.waitFor(() => expect(turnsOf(taken)).toEqual([1, 3, 4]), PATIENCE);
});

test('what an earlier manager has saved is not saved again', async () => {
  const { note, taken, saved } = open();
  saved.push({ incarnation: 1, turns: 5 });
  note({ turns: 5 });
  note({ turns: 6 });
  await vi.waitFor(() => expect(turnsOf(taken)).toEqual([6]), PATIENCE);
});

test('a heartbeat of an earlier body says nothing about this one', async () => {
  const { note, taken, filled } = open();
  note({ incarnation: 0, turns: 7, needs_checkpoint: true }, { from_checkpoint: 'c' });
  note({ needs_checkpoint: true }, { id: 'two', from_checkpoint: 'c' });
  await vi.waitFor(() => expect(filled).toEqual(['c']), PATIENCE);
  expect(taken).toEqual([]);
});

test('two workers are saved at once, the end of a body without waiting, and failures are reported', async () => {
  const { note, taken, events } = open();
  for (const id of ['a', 'b', 'c']) note({ turns: 1 }, { id });
  await vi.waitFor(() => expect(taken.map(({ id }) => id)).toEqual(['a', 'b']), PATIENCE);
  note({ phase: 'ending', offers_checkpoint: true }, { id: 'd', checkpoint: { on: ['stop'] } });
  note({ phase: 'ending', offers_checkpoint: true }, { id: 'd', checkpoint: { on: ['stop'] } });
  await vi.waitFor(() => expect(taken.map(({ id, final }) => [id, final])[2]).toEqual(['d', true]), PATIENCE);
  taken[0]?.end(new Fault('capacity', 'CHECKPOINT_DIR is full.', { reason: 'CheckpointFailed' }));
  // The body has ended meanwhile.
  taken[1]?.end(new Fault('unavailable', 'gone', { reason: 'body_lost' }));
  await vi.waitFor(() => expect(taken.map(({ id }) => id)).toEqual(['a', 'b', 'd', 'c']), PATIENCE);
  taken[2]?.end(new Fault('unavailable', 'gone', { reason: 'body_lost' }));
  await vi.waitFor(
    () => expect(events.map(({ reason }) => reason)).toEqual(['CheckpointFailed', 'CheckpointFailed']),
    PATIENCE,
  );
  expect(events.map(({ message }) => message)).toEqual([
    'The checkpoint at its turn failed. CHECKPOINT_DIR is full.',
    'The checkpoint at its stop failed. gone',
  ]);
});

test('intervals end with the body, the worker, the lease and the term', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { automatic, note, taken, stop, running, lose } = open();
  const checkpoint: CheckpointPolicy = { on: ['interval'], interval_seconds: 60 };
  const ids = { gone: randomUUID(), ended: randomUUID(), kept: randomUUID() };
  for (const id of Object.values(ids)) note({}, { id, checkpoint });
  automatic.forget(ids.gone);
  note({}, { id: ids.ended, checkpoint, state: 'exited' });
  await vi.advanceTimersByTimeAsync(59_000);
  expect(taken).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(taken.map(({ id }) => id)).toEqual([ids.kept]);
  // One that takes longer than the interval is followed by one more.
  await vi.advanceTimersByTimeAsync(180_000);
  expect(taken).toHaveLength(1);
  taken[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  expect(taken).toHaveLength(2);
  taken[1]?.end();
  lose();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(taken).toHaveLength(2);
  stop.abort();
  await running;
  expect(vi.getTimerCount()).toBe(0);
});

test('the checkpoint of a worker is kept while it starts, whether it has a body or not', async () => {
  const { automatic, note, held, stop, running } = open();
  const kept = () => [...held].sort();
  const starting = { status: 'STARTING', checkpoint: undefined };
  note({}, { ...starting, id: 'one', from_checkpoint: 'a', state: 'exited' });
  note({}, { ...starting, id: 'two', from_checkpoint: 'b' });
  note({}, { ...starting, id: 'three', from_checkpoint: 'c' });
  expect(kept()).toEqual(['a', 'b', 'c']);
  note({}, { id: 'one', from_checkpoint: 'a', checkpoint: undefined });
  automatic.forget('two');
  await vi.waitFor(() => expect(kept()).toEqual(['c']), PATIENCE);
  stop.abort();
  await running;
  await vi.waitFor(() => expect(kept()).toEqual([]), PATIENCE);
  note({}, { ...starting, id: 'one', from_checkpoint: 'a' });
  expect(kept()).toEqual([]);
});
