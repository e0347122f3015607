import { expect, test } from 'vitest';
import { createHealthReport, type HealthFacts } from '../../../src/http/listener/health.ts';

const up = { ok: true, message: 'answers' };
const down = { ok: false, message: 'does not answer' };
const well: HealthFacts = {
  redis: up,
  runtimes: { docker: up, process: up },
  leading: true,
  heldBack: 0,
  loopQuietSeconds: 1,
  loopStuckSeconds: 60,
};

test.each<[string, Partial<HealthFacts>, { live: boolean; ready: boolean }]>([
  ['all is well', {}, { live: true, ready: true }],
  ['a standby', { leading: false }, { live: true, ready: true }],
  ['Redis is away', { redis: down }, { live: true, ready: false }],
  ['one runtime is away', { runtimes: { docker: down, process: up } }, { live: true, ready: true }],
  ['all runtimes are away', { runtimes: { docker: down, process: down } }, { live: true, ready: false }],
  ['the only runtime is away', { runtimes: { docker: down } }, { live: true, ready: false }],
  ['there is no runtime', { runtimes: {} }, { live: true, ready: false }],
  ['the removal breaker is open', { heldBack: 9 }, { live: true, ready: true }],
  ['Redis evicts', { hazards: { message: 'evicts', refused: false } }, { live: true, ready: true }],
  [
    'Redis evicts, which is refused',
    { hazards: { message: 'evicts', refused: true } },
    { live: true, ready: false },
  ],
  ['the loop is slow', { loopQuietSeconds: 59.9 }, { live: true, ready: true }],
  ['the loop is stuck', { loopQuietSeconds: 60 }, { live: false, ready: false }],
  ['a standby is stuck', { leading: false, loopQuietSeconds: 100 }, { live: false, ready: false }],
])('%s', (_, facts, expected) => {
  expect(createHealthReport({ ...well, ...facts })).toMatchObject(expected);
});

test('each component is named, with its message', () => {
  expect(
    createHealthReport({
      ...well,
      runtimes: { docker: down, process: up },
      leading: false,
      loopQuietSeconds: 90.7,
    }).checks,
  ).toEqual({
    redis: up,
    runtime_docker: down,
    runtime_process: up,
    leadership: { ok: true, message: 'standby' },
    removal_breaker: { ok: true, message: 'closed' },
    loop: { ok: false, message: 'has been blocked for 90 s; the limit is 60 s' },
  });
});
