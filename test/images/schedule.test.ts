import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Collection, Collector, StoredImage } from '../../src/images/gc.ts';
import { dueAt, startSchedule } from '../../src/images/schedule.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const at = (text: string) => new Date(text).getTime();
const NOW = at('2026-03-04T10:30:00');

test.each([
  ['hourly', '2026-03-04T10:29:00', '2026-03-04T11:00:00'],
  ['daily', '2026-03-04T00:00:01', '2026-03-05T00:00:00'],
  ['weekly', '2026-03-04T00:00:00', '2026-03-08T00:00:00'],
  ['0 4 * * *', '2026-03-04T04:00:01', '2026-03-05T04:00:00'],
  ['15 12 1 * *', '2026-03-04T04:00:01', '2026-04-01T12:15:00'],
  // Missed while no manager ran.
  ['0 4 * * *', '2026-03-02T04:00:01', '2026-03-04T10:31:00'],
])('%s, last at %s, is due at %s', (cron, last, expected) => {
  expect(dueAt(cron, at(last), NOW + 60_000)).toBe(at(expected));
});

const DONE: Collection = {
  dry_run: false,
  removed: [{ name: 'worker:0123456789ab', why: 'not used for 8 days' }],
  skipped: [],
  leftovers_removed: 0,
  freed_bytes: 1000,
  cache_freed_bytes: 0,
  images: 2,
  image_bytes: 5000,
};

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

const image = (name: string, ...ids: string[]) => ({
  name,
  agent_type: 'CUSTOM',
  modules: [],
  created_at: NOW,
  size_bytes: 1,
  last_used_at: NOW,
  used_by: [],
  layers: ids.map((id) => ({ id, bytes: 1000 })),
});
const STORED = [
  image('worker:1', 'a', 'b'),
  image('worker:2', 'a', 'c', 'd', 'e'),
] as unknown as StoredImage[];

function start(collect: () => Promise<Collection>, last?: number) {
  const ran: string[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const collector: Collector = {
    list: async () => STORED,
    collect: () => {
      ran.push(new Date().toTimeString().slice(0, 5));
      return collect();
    },
    close: () => undefined,
  };
  const usage = {
    collectedAt: async () => last,
    setCollectedAt: async (time: number) => {
      last = time;
    },
  };
  const lines: string[] = [];
  const say = (_fields: object, text: string) => void lines.push(text);
  const log = { info: say, warn: say } as never;
  const schedule = startSchedule({ cron: '0 */6 * * *', collector, usage, metrics, log });
  return { schedule, ran, metrics, lines };
}

test('it collects at each time, once, and reports', async () => {
  const { schedule, ran, metrics, lines } = start(async () => DONE);
  await vi.advanceTimersByTimeAsync(24 * 3_600_000);
  expect(ran).toEqual(['12:00', '18:00', '00:00', '06:00']);
  const text = await metrics.text();
  expect(text).toContain('worker_manager_image_gc_removed_total 4');
  expect(text).toContain('worker_manager_images 2');
  expect(text).toContain('worker_manager_image_bytes 5000');
  expect(lines.slice(0, 2)).toEqual(['image removed', 'images collected: 1kB freed']);
  await schedule.stop();
  await vi.advanceTimersByTimeAsync(24 * 3_600_000);
  expect(ran).toHaveLength(4);
});

test('images are counted at the start, long before anything is collected', async () => {
  const { schedule, ran, metrics } = start(async () => DONE);
  await vi.advanceTimersByTimeAsync(1);
  const text = await metrics.text();
  expect(text).toContain('worker_manager_images 2');
  expect(text).toContain('worker_manager_image_bytes 5000');
  expect(ran).toEqual([]);
  await schedule.stop();
});

test.each([
  ['missed without a leader', NOW - 86_400_000, ['10:31', '12:00']],
  ['of a clock that was ahead', NOW + 86_400_000 * 365, ['12:00']],
])('a last time %s', async (_, last, expected) => {
  const { schedule, ran } = start(async () => DONE, last);
  await vi.advanceTimersByTimeAsync(2 * 3_600_000);
  expect(ran).toEqual(expected);
  await schedule.stop();
});

test('a failed collection is retried soon, but not in a loop', async () => {
  let failures = 2;
  const { schedule, ran } = start(async () => {
    failures -= 1;
    if (failures >= 0) throw new Error('Docker is away.');
    return DONE;
  });
  await vi.advanceTimersByTimeAsync(7 * 3_600_000);
  expect(ran).toEqual(['12:00', '12:01', '12:02']);
  await schedule.stop();
});
