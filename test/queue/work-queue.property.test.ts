import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createWorkQueue } from '../../src/queue/work-queue.ts';
import { FakeClock, settle } from './fake-clock.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd');
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: -1, max: 60 }) }),
  fc.record({ do: fc.constant('addRateLimited' as const), key }),
  fc.record({ do: fc.constant('forget' as const), key }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ do: fc.constant('end' as const), key, fails: fc.boolean() }),
);

/** Expected reconciles: each key that was added since its last one started, and each whose delay is over. */
class Debts {
  readonly #now = new Set<string>();
  readonly #later = new Map<string, number>();

  at(key: string, now: number, due: number): void {
    if (this.settle(key, now) || due <= now) this.#now.add(key);
    if (due <= now) return;
    this.#later.set(key, Math.min(due, this.#later.get(key) ?? Number.POSITIVE_INFINITY));
  }

  /** Whether a reconcile of the key that starts now is expected; removes all events that it covers. */
  settle(key: string, now: number): boolean {
    const due = this.#later.get(key);
    const isDue = due !== undefined && due <= now;
    if (isDue) this.#later.delete(key);
    return this.#now.delete(key) || isDue;
  }

  get open(): string[] {
    return [...this.#now, ...this.#later.keys()];
  }
}

test('random interleavings: one reconcile per key at a time, none extra, early or lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, concurrency) => {
        const clock = new FakeClock();
        const queue = createWorkQueue({ clock, backoffBaseMs: 3, backoffMaxMs: 20 });
        const debts = new Debts();
        const open = new Map<string, (fails: boolean) => void>();
        const stop = new AbortController();
        const faults: string[] = [];
        const running = queue.run(
          (key) => {
            if (open.has(key)) faults.push(`two passes of ${key} at once`);
            if (!debts.settle(key, clock.now()))
              faults.push(`a pass of ${key} that is not due at ${clock.now()}`);
            if (open.size >= concurrency) faults.push('too many passes at once');
            return new Promise((resolve, reject) =>
              open.set(key, (fails) => (fails ? reject(new Error('failed')) : resolve())),
            );
          },
          concurrency,
          stop.signal,
        );
        const end = async (key: string, fails: boolean) => {
          const pass = open.get(key);
          open.delete(key);
          pass?.(fails);
          await settle();
        };

        for (const step of steps) {
          const now = clock.now();
          switch (step.do) {
            case 'add':
              debts.at(step.key, now, now);
              queue.add(step.key);
              break;
            case 'addAfter':
              debts.at(step.key, now, now + step.ms);
              queue.addAfter(step.key, step.ms);
              break;
            case 'addRateLimited':
              debts.at(step.key, now, now + Math.min(3 * 2 ** queue.retries(step.key), 20));
              queue.addRateLimited(step.key);
              break;
            case 'forget':
              queue.forget(step.key);
              break;
            case 'advance':
              await clock.advance(step.ms);
              break;
            case 'end':
              await end(step.key, step.fails);
          }
        }

        await clock.advance(100);
        for (let round = 0; round < 20 && open.size > 0; round += 1) {
          for (const key of [...open.keys()]) await end(key, false);
        }
        expect(faults).toEqual([]);
        expect(debts.open).toEqual([]);
        expect(open.size).toBe(0);
        expect(queue.length).toBe(0);
        expect(clock.pending).toBe(0);
        stop.abort();
        await running;
      },
    ),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 1000) },
  );
}, 600_000);
