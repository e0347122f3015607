/** The build of an image, as it is shown to a user who waits for it. The test plays the manager. */
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { StatusRecord } from '../../../src/model/index.ts';
import { getKeys } from '../../../src/store/keys.ts';
import { newCell } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

const SOON = { timeout: 20_000, interval: 50 };
const redisUrl = inject('redisUrl');

test('create --wait shows each step of the build that the worker waits for, and no more than once', async () => {
  const cell = newCell();
  const keys = getKeys(cell);
  const redis = new Redis(redisUrl);
  onTestFinished(async () => {
    await redis.del(await redis.keys(`${cell}:*`));
    redis.disconnect();
  });
  const { child, err, done } = wmOf({ redisUrl, cell }).start(['create', '--wait', '--', 'true']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const command = async () => {
    const [[, [, text = '']] = ['', []]] = await redis.xrange(keys.commands, '-', '+');
    return JSON.parse(text);
  };
  await expect.poll(command, SOON).toMatchObject({ command: 'create' });
  const { request_id, reply_to } = await command();

  const id = '0b0e7f3e-0000-4000-8000-000000000009';
  const spec = JSON.stringify({ agent_type: 'CUSTOM', command_line: ['true'], runtime: 'docker' });
  const record = {
    spec,
    desired: 'running',
    generation: 1,
    created_at: new Date().toISOString(),
    request_id,
  };
  await redis.hset(keys.desired(id), record);
  const report = async (status: StatusRecord['status'], phase: string, reason: string, message: string) => {
    const fields = { incarnation: 1, restarts: 0, runtime: 'docker', observed_generation: 1 };
    await redis.hset(keys.status(id), { ...fields, status, phase, reason, message });
    await redis.xadd(keys.events(id), '*', 'data', JSON.stringify({ status, phase, reason, message }));
  };
  const build = (step: string) => report('STARTING', 'building', 'ImageBuilding', `worker:01ab: ${step}`);
  await build('Step 1/2 : FROM debian');
  const answer = { request_id, command: 'create', success: true, worker_id: id };
  await redis.xadd(reply_to, '*', 'data', JSON.stringify(answer));
  await expect.poll(err, SOON).toBe('Step 1/2 : FROM debian\n');
  await build('Step 1/2 : FROM debian');
  await build('Step 2/2 : RUN apt-get update');
  await expect.poll(err, SOON).toContain('Step 2/2');
  await report('RUNNING', 'ready', '', '');
  expect(await done).toEqual({
    code: 0,
    out: `${id}\n`,
    err: 'Step 1/2 : FROM debian\nStep 2/2 : RUN apt-get update\n',
  });
});
