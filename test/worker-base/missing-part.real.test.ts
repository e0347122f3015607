/** A direct worker whose files an upgrade replaces. */
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, inject, onTestFinished, test } from 'vitest';
import { bundleWrapper } from '../../scripts/bundle-wrapper.ts';
import { TestWorker } from './body.ts';

test('it continues, and what it has not loaded yet is refused with the reason', async () => {
  const redisUrl = inject('redisUrl');
  const worker = new TestWorker(redisUrl);
  onTestFinished(() => worker.close());
  const { path: original } = await bundleWrapper();
  const folder = join(worker.dir, 'bundle');
  cpSync(dirname(original), folder, { recursive: true });
  const path = join(folder, 'wrapper.mjs');
  const door = join(worker.dir, 'door');
  await worker.declare({ command_line: ['cat'] });
  await worker.start({ redisUrl, path, env: { WORKER_DOOR: door } });
  await worker.untilType('ready');
  for (const name of readdirSync(folder)) if (name.endsWith('.mjs')) rmSync(join(folder, name));

  await worker.send('{"type": "exec", "request_id": "command", "shell": "true"}');
  await worker.send('{"type": "read_file", "request_id": "file", "path": "file"}');
  const why = /files of worker-manager were replaced/;
  const ended = await worker.until(({ request_id }) => request_id === 'command');
  expect(ended).toMatchObject({ type: 'exec_completed', reason: 'unsupported', content: why });
  const read = await worker.until(({ request_id }) => request_id === 'file');
  expect(read).toMatchObject({ type: 'file', code: 'unsupported', last: true, content: why });
  const refused = await new Promise((resolve, reject) => {
    const sent = request({ socketPath: door, path: '/exec', method: 'POST' }, (response) => {
      json(response).then((body) => resolve([response.statusCode, body]), reject);
    });
    sent.on('error', reject).end('{}');
  });
  expect(refused).toMatchObject([422, { error: { code: 'unsupported', message: why } }]);

  await worker.send({ type: 'prompt', content: 'still here' });
  await worker.until(({ type, content }) => type === 'stdout' && content === 'still here');
});
