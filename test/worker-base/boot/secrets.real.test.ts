import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { soon, TestWorker } from '../body.ts';

const redisUrl = inject('redisUrl');
const AGENT = [process.execPath, join(import.meta.dirname, '../agents/json-agent.ts')];
let worker: TestWorker;
beforeEach(() => {
  worker = new TestWorker(redisUrl);
});
afterEach(() => worker.close());

const beat = async () => JSON.parse((await worker.redis.get(worker.keys.heartbeat(worker.id))) ?? '{}');
const deliver = async (pipe: string, content: string) => {
  // The request for it may arrive before the pipe is there.
  await expect.poll(() => existsSync(pipe), soon).toBe(true);
  const written = promisify(execFile)('sh', ['-c', 'cat > "$0"', pipe]);
  written.child.stdin?.end(content);
  return written;
};

test('a body requests its secrets, and the agent finds them in files and nowhere else', async () => {
  const { keys, id, dir } = worker;
  const pipe = join(dir, 'secrets.pipe');
  const listener = new Redis(redisUrl);
  await listener.subscribe(keys.signal(id));
  const phases: string[] = [];
  listener.on('message', (_channel, phase) => phases.push(phase));
  await worker.declare({ command_line: AGENT, protocol: 'json', secrets: ['GITHUB_TOKEN'] });
  await worker.send({ type: 'prompt', content: 'env' });
  const body = await worker.start({ redisUrl, env: { SECRETS_PIPE: pipe } });
  await expect.poll(beat, soon).toMatchObject({ phase: 'booting', needs_secrets: true });
  await expect.poll(() => phases, soon).toEqual(['booting']);
  await deliver(pipe, JSON.stringify({ GITHUB_TOKEN: 'ghp-very-secret' }));
  const env = JSON.parse((await worker.untilType('turn_completed')).content);
  expect(JSON.stringify(env)).not.toContain('ghp-very-secret');
  expect(readFileSync(join(env.SECRETS_PATH, 'GITHUB_TOKEN'), 'utf8')).toBe('ghp-very-secret');
  expect(statSync(env.SECRETS_PATH).mode & 0o077).toBe(0);
  expect(await beat()).toMatchObject({ phase: 'ready' });
  expect((await beat()).needs_secrets).toBeUndefined();
  expect(existsSync(pipe)).toBe(false);
  expect(body.log).not.toContain('ghp-very-secret');
  listener.disconnect();
});

test('a secret that was not delivered ends the body with its name', async () => {
  const pipe = join(worker.dir, 'secrets.pipe');
  await worker.declare({ command_line: AGENT, protocol: 'json', secrets: ['A', 'B'] });
  const body = await worker.start({ redisUrl, env: { SECRETS_PIPE: pipe } });
  await expect.poll(beat, soon).toMatchObject({ needs_secrets: true });
  await deliver(pipe, '{"A":"1"}');
  expect(await body.exit).toBe(78);
  expect((await worker.untilType('exited')).content).toContain('B');
});

test('a body that waits for its secrets ends at once on SIGTERM', async () => {
  const pipe = join(worker.dir, 'secrets.pipe');
  await worker.declare({ command_line: AGENT, protocol: 'json', secrets: ['A'] });
  const body = await worker.start({ redisUrl, env: { SECRETS_PIPE: pipe } });
  await expect.poll(beat, soon).toMatchObject({ needs_secrets: true });
  body.process.kill('SIGTERM');
  expect(await body.exit).toBe(143);
});
