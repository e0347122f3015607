/** One job per name for any number of callers; jobs run in sequence; failures are kept until the next. */
import { expect, test } from 'vitest';
import { Jobs } from '../../src/images/jobs.ts';

const step = (line: string) => ({ step: 1, of: 2, line });

test('two callers with one name share one job, and both get its steps', async () => {
  const changes: string[] = [];
  const jobs = new Jobs<string>(
    (name) => changes.push(name),
    () => 'failed',
  );
  let runs = 0;
  const { promise: go, resolve } = Promise.withResolvers<void>();
  const act = async (tell: (progress: { step: number; of: number; line: string }) => void) => {
    runs += 1;
    await go;
    tell(step('Step 1/2'));
  };
  const heard: string[][] = [[], []];
  const asked = heard.map((lines) => jobs.join('a', 'waiting', act, ({ line }) => lines.push(line)));
  expect(jobs.progress('a')?.line).toBe('waiting');
  resolve();
  await Promise.all(asked);
  expect(runs).toBe(1);
  expect(heard).toEqual([
    ['waiting', 'Step 1/2'],
    ['waiting', 'Step 1/2'],
  ]);
  expect(jobs.progress('a')).toBeUndefined();
  expect(changes).toEqual(['a', 'a', 'a']);
});

test('jobs with different names run one after the other', async () => {
  const jobs = new Jobs<string>(
    () => undefined,
    () => 'failed',
  );
  let under = 0;
  let most = 0;
  const act = async () => {
    under += 1;
    most = Math.max(most, under);
    await new Promise(setImmediate);
    under -= 1;
  };
  await Promise.all(['a', 'b', 'c'].map((name) => jobs.join(name, '', act)));
  expect(most).toBe(1);
});

test('a failure reaches every caller, is kept, and is cleared by the next attempt', async () => {
  const jobs = new Jobs<string>(
    () => undefined,
    (name, error) => `${name}: ${(error as Error).message}`,
  );
  const fail = () => Promise.reject(new Error('no'));
  const results = await Promise.allSettled([jobs.join('a', '', fail), jobs.join('a', '', fail)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(jobs.failure('a')).toBe('a: no');
  const again = jobs.join('a', '', async () => undefined);
  expect(jobs.failure('a')).toBeUndefined();
  await again;
  expect(jobs.failure('a')).toBeUndefined();
});
