import { expect, test } from 'vitest';
import type { Decision, Observation, StatusRecord, WorkerRecord } from '../../../src/model/index.ts';
import { Admission, type AdmissionOptions } from '../../../src/reconcile/admission/admission.ts';
import { admit, START_BYTES } from '../../../src/reconcile/admission/rules.ts';
import { specOf, statusOf } from '../observation.ts';

const GIB = 1024 ** 3;
/** What starts leave free of 10 GiB. */
const KEPT = Math.ceil(1.2 * GIB);

/** An admission with two slots for each runtime, on a clock that the test moves. */
function world(more: Partial<AdmissionOptions> = {}) {
  const clock = { now: 0 };
  const woken: string[] = [];
  const admission = new Admission({
    slotsOf: () => 2,
    memoryOf: () => undefined,
    now: () => clock.now,
    wallClock: () => 1_000_000 + clock.now,
    wake: (id) => woken.push(id),
    ...more,
  });
  const status = new Map<string, StatusRecord>();
  const record = (id: string, created: number): WorkerRecord => ({
    id,
    status: status.get(id),
    memo: undefined,
    revision: 0,
    desired: {
      spec: specOf({ runtime: 'process' }),
      desired: 'running',
      generation: 1,
      request_id: id,
      created_at: new Date(created).toISOString(),
    },
  });
  /** One observation of a worker and the status that the machine decides from it. */
  const ask = (id: string, created: number) => {
    const told = admission.request(record(id, created));
    settle(id, told === undefined ? { phase: 'creating' } : { phase: 'queued', message: told });
    return told;
  };
  const settle = (id: string, is: Partial<StatusRecord>, kind: 'absent' | 'present' = 'absent') => {
    const decided = statusOf({ runtime: 'process', ...is });
    status.set(id, decided);
    const observation = { worker_id: id, actual: { kind } } as Observation;
    admission.note(observation, { status: decided } as Decision);
  };
  return { admission, clock, woken, ask, settle };
}

const place = (told: string | undefined) => told && /^Position \d+ of \d+/.exec(told)?.[0];

test('the number of booting bodies is limited, and the oldest waiting worker starts next', () => {
  const { admission, ask, settle, woken } = world();
  admission.open();
  expect([ask('a', 1), ask('b', 2)]).toEqual([undefined, undefined]);
  expect(place(ask('d', 4))).toBe('Position 1 of 1');
  expect(place(ask('c', 3))).toBe('Position 1 of 2');
  expect(ask('e', 5)).toBe(
    'Position 3 of 3 in the start queue: 2 bodies may boot at the same time (MAX_CONCURRENT_STARTS).',
  );
  settle('a', { phase: 'booting' }, 'present');
  expect(woken, 'a body that boots keeps its turn').toEqual([]);
  settle('a', { status: 'RUNNING', phase: 'ready' }, 'present');
  expect(woken).toEqual(['c']);
  expect(ask('c', 3)).toBeUndefined();
  expect(place(ask('d', 4))).toBe('Position 1 of 2');
});

test('a worker that is deleted while it waits or starts makes room immediately', () => {
  const { admission, ask, settle, woken } = world();
  admission.open();
  for (const [at, id] of ['a', 'b', 'c', 'd'].entries()) ask(id, at);
  settle('c', { status: 'STOPPED', phase: 'finished' });
  expect(place(ask('d', 3))).toBe('Position 1 of 1');
  admission.forget('b');
  expect(woken).toEqual(['d']);
});

test('a start that fails for now goes behind those that have not had their turn', () => {
  const { admission, ask, woken } = world();
  admission.open();
  for (const [at, id] of ['a', 'b', 'c', 'd'].entries()) ask(id, at);
  admission.failed('a');
  expect(woken).toEqual(['c']);
  expect(place(ask('a', 0)), 'although it is the oldest').toBe('Position 2 of 2');
});

test('a body that boots for over a minute blocks no other, and its retry needs another slot', () => {
  const { admission, ask, settle, clock, woken } = world();
  admission.open();
  for (const [at, id] of ['a', 'b', 'c', 'd', 'e'].entries()) ask(id, at);
  settle('a', { phase: 'booting' }, 'present');
  clock.now = 60_000;
  admission.tick();
  expect(woken, 'two turns, and who is the first now').toEqual(['c', 'd', 'e']);
  expect(place(ask('b', 1)), 'it was never made').toBe('Position 2 of 2');
});

test('a new term counts the bodies that boot already, and lets no worker start before it has seen them', () => {
  const { admission, ask, settle, clock, woken } = world();
  expect(ask('new', 9)).toContain('the manager has just started and is listing all workers');
  settle('old', { phase: 'booting' }, 'present');
  settle('older', { phase: 'creating' }, 'present');
  admission.open();
  expect(woken).toEqual([]);
  settle('old', { status: 'RUNNING', phase: 'ready' }, 'present');
  expect(woken).toEqual(['new']);
  // A worker that cannot be observed blocks no other.
  const blind = world();
  blind.ask('new', 9);
  blind.clock.now = 3000;
  blind.admission.tick();
  expect(blind.woken).toEqual(['new']);
  expect(clock.now).toBe(0);
});

test('a body that ends before it is ready gives its turn back, and its next try waits like any other', () => {
  const { admission, ask, settle, woken } = world();
  admission.open();
  for (const [at, id] of ['a', 'b', 'c', 'd'].entries()) ask(id, at);
  settle('a', { phase: 'booting' }, 'present');
  settle('a', { phase: 'backoff' });
  expect(woken).toEqual(['c']);
  settle('a', { phase: 'creating' });
  expect(place(ask('a', 0))).toBe('Position 2 of 2');
});

test('the runtimes have slots of their own, and share the memory of one machine', () => {
  const look = { total_bytes: 10 * GIB, available_bytes: KEPT + 3 * START_BYTES };
  expect(admit({ starting: 0, slots: 4, booting: 0, memory: look }).count).toBe(3);
  expect(admit({ starting: 0, slots: 4, booting: 2, memory: look }).count).toBe(1);
  expect(admit({ starting: 3, slots: 4, booting: 3, memory: undefined }).count).toBe(1);
  expect(admit({ starting: 5, slots: 4, booting: 5, memory: undefined }).count).toBe(0);
});

test('a tenth of memory stays free, and waiting workers start when memory is free again', () => {
  const memory = { total_bytes: 10 * GIB, available_bytes: KEPT + START_BYTES };
  const { admission, ask, settle, woken } = world({ memoryOf: () => memory });
  admission.open();
  expect(ask('a', 1)).toBeUndefined();
  expect(ask('b', 2)).toBe(
    'Position 1 of 1 in the start queue: 1.36GB of memory are available, and 1.29GB are reserved.',
  );
  memory.available_bytes = KEPT;
  settle('a', { status: 'RUNNING', phase: 'ready' }, 'present');
  admission.tick();
  expect(woken).toEqual([]);
  memory.available_bytes = KEPT + START_BYTES;
  admission.tick();
  expect(woken).toEqual(['b']);
});

test('outdated places are reported a few times each, not at every step', () => {
  const { admission, ask, settle, woken } = world({ slotsOf: () => 1 });
  admission.open();
  const ids = Array.from({ length: 129 }, (_, at) => String(at).padStart(3, '0'));
  for (const [at, id] of ids.entries()) ask(id, at);
  let looks = 0;
  for (const id of ids) {
    settle(id, { status: 'RUNNING', phase: 'ready' }, 'present');
    admission.tick();
    for (const other of woken.splice(0)) {
      looks += 1;
      ask(other, Number(other));
    }
  }
  expect(admission.waiting()).toEqual([['process', 0]]);
  // Each has one for its turn, one for the first place, and one each time its place is halved: at most 7 here.
  expect(looks).toBeLessThan(129 * 9);
});
