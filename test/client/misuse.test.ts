/** What programs without types pass by mistake: it is refused with the name of the value, before anything is sent. */
import { expect, test } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { sendJson, startScriptedServer } from './server.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const VIEW = { worker_id: ID, name: null, status: 'RUNNING', agent_type: 'CUSTOM' };
const FILE = { name: 'a', path: 'a', type: 'file', size: 3 };

/** A client whose calls are not checked by the compiler, as in JavaScript. */
async function startUntyped() {
  const server = await startScriptedServer((response, _at, { method }) =>
    sendJson(response, 200, method === 'PUT' ? FILE : VIEW),
  );
  const client = connect({ url: server.url, retries: 0 }) as any;
  const worker = await client.workers.get(ID);
  server.requests.length = 0;
  return { server, client, worker };
}

test('a time that is not a number is refused, instead of a wait without an end', async () => {
  const { server, client, worker } = await startUntyped();
  const wrong = { code: 'invalid_command', message: 'timeoutSeconds must be a number, not "5m".' };
  await expect(worker.wait('ended', { timeoutSeconds: '5m' })).rejects.toMatchObject(wrong);
  await expect(
    client.tasks
      .get(ID)
      .then((task: { result: (options: object) => unknown }) => task.result({ timeoutSeconds: '5m' })),
  ).rejects.toMatchObject(wrong);
  await expect(worker.refresh({ timeoutMs: '5s' })).rejects.toThrow('timeoutMs must be a number, not "5s".');
  expect(() => connect({ timeoutMs: '5s' as never })).toThrow('timeoutMs must be a number, not "5s".');
  expect(() => connect({ retries: Number.NaN })).toThrow('retries must be a number, not NaN.');
  expect(() => connect({ reconnectSeconds: null as never })).toThrow(
    'reconnectSeconds must be a number, not null.',
  );
  expect(server.requests.filter(({ url }) => url.startsWith('/v1/workers'))).toEqual([]);
  // A deadline that has passed is one.
  await expect(worker.refresh({ timeoutMs: -1 })).rejects.toThrow('did not respond in time');
});

test('a name that a URL would drop is refused, and none is not the worker `undefined`', async () => {
  const { server, client } = await startUntyped();
  for (const name of ['.', '..'])
    for (const collection of [client.workers, client.pools, client.checkpoints])
      await expect(collection.get(name)).rejects.toMatchObject({
        code: 'invalid_command',
        message: `${JSON.stringify(name)} is not an ID or a name.`,
      });
  expect(server.requests).toEqual([]);
  await client.workers.get(undefined);
  expect(server.requests.map(({ url }) => url)).toEqual(['/v1/workers/']);
});

test('only text, bytes and streams are written to a file, and only as real permissions', async () => {
  const { server, worker } = await startUntyped();
  const cases: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [5, '5'],
    [{ a: 1 }, 'an object of the type Object'],
    [['a'], 'a list'],
  ];
  for (const [content, shown] of cases)
    await expect(worker.files.write('a', content)).rejects.toThrow(
      `The content must be a string, bytes, a Blob or a ReadableStream, not ${shown}.`,
    );
  await expect(worker.files.write('a', 'x', { mode: 644 })).rejects.toThrow(
    'mode must be permissions from 0 to 0o777, such as 0o644, not 644.',
  );
  await expect(worker.files.read('a', { format: 'blob' })).rejects.toThrow('format must be one of text');
  expect(server.requests).toEqual([]);
  const { buffer } = new TextEncoder().encode('abc');
  for (const content of ['abc', buffer, new DataView(buffer), new Uint16Array([0x6261]), new Blob(['abc'])])
    await worker.files.write('a', content, { mode: 0o600 });
  expect(server.requests.map(({ body }) => body)).toEqual(['abc', 'abc', 'abc', 'ab', 'abc']);
});

test('a manager that cannot be reached is reported with the reason', async () => {
  await expect(connect({ url: 'http://127.0.0.1:1', retries: 0 }).stats()).rejects.toThrow(
    /cannot be reached at http:\/\/127\.0\.0\.1:1 \(.+\)\. Check/,
  );
});
