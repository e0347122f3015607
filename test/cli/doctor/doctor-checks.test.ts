import { expect, test } from 'vitest';
import type { Context } from '../../../src/cli/context.ts';
import type { DoctorCheck } from '../../../src/cli/doctor/doctor-check.ts';
import { runChecks } from '../../../src/cli/doctor/doctor-checks.ts';

const REFUSED = 'Redis does not answer at redis://127.0.0.1:6379';

/** The checks on a machine without a Redis; the runtimes are not checked. */
async function checkWithoutRedis(address: {
  redisFrom: 'environment' | 'file' | 'default';
  variables: string[];
  settings?: { httpHost?: string; apiTokenFile?: string };
}): Promise<DoctorCheck[]> {
  const context = {
    deps: {
      settings: async () => ({ cell: 'blue', httpHost: '127.0.0.1', ...address.settings }),
      settingProblems: async () => [{ name: 'RESYNC_SECOND', found: 'is not a setting', advice: 'Look.' }],
      explainSettings: async () => address.variables.map((name) => ({ name, source: 'environment' })),
      context: async () => ({ redisFrom: address.redisFrom }),
    },
    session: () => Promise.reject(new Error(REFUSED)),
    runtimes: () => Promise.reject(new Error('not checked')),
  };
  const checks: DoctorCheck[] = [];
  for await (const check of runChecks(context as unknown as Context)) checks.push(check);
  return checks;
}

test('before the first manager, the missing Redis is a hint that names the next step', async () => {
  const checks = await checkWithoutRedis({ redisFrom: 'default', variables: ['HTTP_PORT'] });
  const redis = checks.find(({ name }) => name === 'Redis');
  expect(redis).toMatchObject({ state: 'hint', found: expect.stringContaining('cell blue') });
  expect(redis?.advice).toContain('`wm serve`');
});

test.each<[string, Parameters<typeof checkWithoutRedis>[0]]>([
  ['REDIS_URL', { redisFrom: 'environment', variables: ['REDIS_URL'] }],
  ['the context file', { redisFrom: 'file', variables: [] }],
])('a Redis of %s that does not answer is a failure', async (_from, address) => {
  const checks = await checkWithoutRedis(address);
  expect(checks.find(({ name }) => name === 'Redis')).toMatchObject({ state: 'bad', found: REFUSED });
});

test('settings that do not work, and those with which no manager would start, are hints', async () => {
  const settings = { httpHost: '0.0.0.0' };
  const checks = await checkWithoutRedis({ redisFrom: 'default', variables: [], settings });
  const at = (name: string) => checks.find((check) => check.name === name);
  expect(at('Setting RESYNC_SECOND')).toMatchObject({ state: 'hint', advice: 'Look.' });
  expect(at('Token of the API')).toMatchObject({
    state: 'hint',
    found: expect.stringContaining('no token is set'),
  });
  const file = { apiTokenFile: '/nowhere/token' };
  const others = await checkWithoutRedis({ redisFrom: 'default', variables: [], settings: file });
  expect(others.find(({ name }) => name === 'Token of the API')?.found).toContain('/nowhere/token');
});
