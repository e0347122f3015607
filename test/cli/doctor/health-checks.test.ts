import { expect, onTestFinished, test } from 'vitest';
import type { DoctorCheck } from '../../../src/cli/doctor/doctor-check.ts';
import { healthChecks } from '../../../src/cli/doctor/health-checks.ts';
import { createHealthReport, type HealthFacts } from '../../../src/http/listener/health.ts';
import { createHttpServer } from '../../../src/http/listener/server.ts';

const up = { ok: true, message: 'answers' };

async function collect(httpPort: number): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for await (const check of healthChecks({ httpHost: '127.0.0.1', httpPort })) checks.push(check);
  return checks;
}

const checksOf = async (facts: Partial<HealthFacts>) => (await managerWith(facts)).checks;

async function managerWith(facts: Partial<HealthFacts>) {
  const well = { redis: up, runtimes: { process: up }, leading: true, heldBack: 0 };
  const http = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: { error: () => {} },
    health: () => createHealthReport({ ...well, loopQuietSeconds: 0, loopStuckSeconds: 60, ...facts }),
    metrics: { text: async () => '', contentType: 'text/plain' },
  });
  onTestFinished(() => http.close());
  return { http, checks: await collect(http.port) };
}

test('an open removal breaker was not in doctor', async () => {
  expect(await checksOf({ heldBack: 7 })).toEqual([
    expect.objectContaining({
      name: 'Manager removal_breaker',
      state: 'bad',
      found: expect.stringContaining('7 bodies without a record are not removed'),
    }),
  ]);
});

test('a manager that is well, or misses what doctor checks itself, adds nothing', async () => {
  expect(await checksOf({})).toEqual([]);
  expect(await checksOf({ runtimes: { docker: { ok: false, message: 'away' }, process: up } })).toEqual([]);
});

test('a loop that does not move is reported', async () => {
  expect(await checksOf({ loopQuietSeconds: 90 })).toMatchObject([{ name: 'Manager loop', state: 'bad' }]);
});

test('an address that refuses connections gives a warning with the reason', async () => {
  const { http } = await managerWith({});
  await http.close();
  expect(await collect(http.port)).toMatchObject([
    { state: 'hint', found: expect.stringContaining('ECONNREFUSED') },
  ]);
});
