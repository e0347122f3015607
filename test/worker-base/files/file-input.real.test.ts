/** Requests for files on the input stream of a worker. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { fileMessage } from '../../../src/model/index.ts';
import { checkMessage } from '../../../worker-base/files/file-input.ts';
import { TestWorker } from '../body.ts';

async function startBody() {
  const redisUrl = inject('redisUrl');
  const worker = new TestWorker(redisUrl);
  onTestFinished(() => worker.close());
  await worker.declare({ command_line: ['cat'] });
  await worker.start({ redisUrl });
  await worker.untilType('ready');
  const send = (message: object) => worker.send(JSON.stringify(message));
  const last = (request_id: string) =>
    worker.until((entry) => entry.type === 'file' && entry.request_id === request_id && entry.last === true);
  return { worker, send, last };
}

test('a file is written and read, beside the agent', async () => {
  const { worker, send, last } = await startBody();
  await send({ type: 'write_file', request_id: 'w', path: 'a/b c', content: 'é\n', mode: '600' });
  expect(await last('w')).toMatchObject({ operation: 'write', path: 'a/b c', size: 3, mode: '0600' });
  await send({ type: 'read_file', request_id: 'r', path: 'a/b c' });
  expect(await last('r')).toMatchObject({ operation: 'read', content: 'é\n', offset: 0, size: 3 });
  const bytes = Buffer.alloc(200_000, Buffer.from([0xff, 0, 1]));
  await send({
    type: 'write_file',
    request_id: 'wb',
    path: 'bytes',
    content_base64: bytes.toString('base64'),
  });
  await last('wb');
  await send({ type: 'read_file', request_id: 'rb', path: 'bytes', offset: 1, length: 150_000 });
  await last('rb');
  const pieces = worker.of('file').filter(({ request_id }) => request_id === 'rb');
  expect(pieces.length).toBeGreaterThan(1);
  const read = Buffer.concat(
    pieces.map(({ content, base64 }) =>
      Buffer.from((base64 as string) ?? content, base64 ? 'base64' : 'utf8'),
    ),
  );
  expect(read.equals(bytes.subarray(1, 150_001))).toBe(true);
  await send({ type: 'write_file', request_id: 'we', path: 'empty', content: '' });
  await last('we');
  await send({ type: 'read_file', request_id: 're', path: 'empty' });
  expect(await last('re')).toMatchObject({ content: '', size: 0 });
  await expect.poll(() => worker.pending(), { timeout: 5000 }).toBe(0);
  worker.expectGapless();
});

test('8 MiB go both ways, and more is refused with the reason', async () => {
  const { worker, send, last } = await startBody();
  const bytes = Buffer.alloc(8 * 1024 ** 2, 'x');
  await send({ type: 'write_file', request_id: 'w', path: 'big', content_base64: bytes.toString('base64') });
  expect(await last('w')).toMatchObject({ size: bytes.length });
  await send({ type: 'read_file', request_id: 'r', path: 'big' });
  await last('r');
  const pieces = worker.of('file').filter(({ request_id }) => request_id === 'r');
  expect(pieces.reduce((sum, { content }) => sum + content.length, 0)).toBe(bytes.length);
  await send({ type: 'write_file', request_id: 'w2', path: 'big2', content: `${bytes}x` });
  expect(await last('w2')).toMatchObject({ code: 'invalid_command' });
});

test('a request that is wrong gets the reason', async () => {
  const { send, last } = await startBody();
  await send({ type: 'read_file', request_id: 'missing', path: 'missing' });
  expect(await last('missing')).toMatchObject({ code: 'not_found', reason: 'no_file' });
  await send({ type: 'read_file', request_id: 'out', path: '../x' });
  expect(await last('out')).toMatchObject({ code: 'invalid_command', reason: 'outside_workspace' });
  await send({ type: 'write_file', request_id: 'none', path: 'x' });
  expect(await last('none')).toMatchObject({ code: 'invalid_command', issues: [{ path: 'content' }] });
});

test('the rules in the body are those of the model', () => {
  const messages: Record<string, unknown>[] = [
    { type: 'read_file', path: 'a' },
    { type: 'read_file', path: '' },
    { type: 'read_file' },
    { type: 'read_file', path: 'a', offset: -1 },
    { type: 'read_file', path: 'a', offset: 1.5 },
    { type: 'read_file', path: 'a', length: 0 },
    { type: 'read_file', path: 'a', length: 2 ** 30 },
    { type: 'read_file', path: 'a', content: '' },
    { type: 'write_file', path: 'a', content: '' },
    { type: 'write_file', path: 'a', content_base64: 'YQ==', mode: '644' },
    { type: 'write_file', path: 'a', content_base64: '?' },
    { type: 'write_file', path: 'a', content: '', content_base64: '' },
    { type: 'write_file', path: 'a' },
    { type: 'write_file', path: 'a', content: 1 },
    { type: 'write_file', path: 'a', content: '', mode: '4755' },
    { type: 'write_file', path: 'a', content: '', request_id: 'x'.repeat(129) },
  ];
  for (const message of messages) {
    let accepted = true;
    try {
      checkMessage(message);
    } catch {
      accepted = false;
    }
    expect(fileMessage.safeParse(message).success, JSON.stringify(message)).toBe(accepted);
  }
});
