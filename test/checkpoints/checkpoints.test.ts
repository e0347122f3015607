/** What bodies answer is not trusted: whatever it is, the manager reports it within limits and stores nothing. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { Checkpoints, type CheckpointsOptions } from '../../src/checkpoints/checkpoints.ts';
import { CheckpointDirectory } from '../../src/checkpoints/directory.ts';
import type { DoorCall } from '../../src/http/doors/door-service.ts';
import { Fault, type WorkerRecord, workerSpec } from '../../src/model/index.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { newCheckpoint, newFolder, toSource, write } from './fixture.ts';

const ID = randomUUID();
const PLACE = { incarnation: 1, runtime: 'process', body_id: 'body' };
const ZSTD = { 'content-type': 'application/zstd' };

type Body = (request: IncomingMessage, response: ServerResponse) => void;

async function open(body: Body, more: Partial<CheckpointsOptions> & { spec?: object } = {}) {
  const server = createServer(body).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const calls: DoorCall[] = [];
  const spec = workerSpec.parse({
    agent_type: 'CUSTOM',
    command_line: ['true'],
    runtime: 'process',
    ...more.spec,
  });
  const adopted: unknown[] = [];
  const folder = newFolder();
  const store = new CheckpointDirectory(folder);
  const checkpoints = new Checkpoints({
    store,
    doors: {
      request: (_id, call) =>
        new Promise((resolve, reject) => {
          calls.push(call);
          const sent = request({ port, method: call.method, path: call.path }, resolve);
          sent.on('error', reject);
          if (call.body !== undefined && typeof call.body === 'object' && 'pipe' in call.body)
            call.body.once('error', (error) => sent.destroy(error)).pipe(sent);
          else sent.end();
        }),
    },
    load: async (id) => (id === ID ? { record: { desired: { spec } } as WorkerRecord } : undefined),
    readConversation: async () => undefined,
    adoptConversation: async (_id, conversation) => void adopted.push(conversation),
    budget: 1_000_000,
    metrics: createMetrics({ processMetrics: false }),
    log: createLogger({ level: 'silent', version: '0', secrets: [] }),
    now: Date.now,
    newId: randomUUID,
    ...more,
  });
  return { checkpoints, store, folder, calls, adopted };
}
const take = ({ checkpoints }: Awaited<ReturnType<typeof open>>) =>
  checkpoints.take(ID, { trigger: 'request', place: PLACE });

test.each<[string, Body, object]>([
  [
    'an error of the body',
    (_, response) =>
      response
        .writeHead(409)
        .end(JSON.stringify({ error: { code: 'conflict', message: 'No.', reason: 'x' } })),
    { code: 'conflict', message: 'No.', reason: 'x' },
  ],
  [
    'an error that cannot be read',
    (_, response) => response.writeHead(500).end('[1, 2'),
    { code: 'internal' },
  ],
  [
    'an error without an end',
    (_, response) => {
      response.writeHead(500);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'a')));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
    { code: 'internal' },
  ],
  ['an archive of another type', (_, response) => response.end('x'), { code: 'internal' }],
  [
    'an archive that is cut',
    (_, response) => {
      response.writeHead(200, ZSTD);
      response.write('x');
      setImmediate(() => response.destroy());
    },
    { code: 'unavailable', reason: 'body_lost' },
  ],
  [
    'an archive without an end',
    (_, response) => {
      response.writeHead(200, ZSTD);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
    { code: 'capacity', reason: 'CheckpointFailed' },
  ],
])('%s is reported, and nothing is stored', async (_name, body, expected) => {
  const opened = await open(body);
  await expect(take(opened)).rejects.toMatchObject(expected);
  expect(await opened.store.list()).toEqual([]);
});

test('warnings of a body are read within limits', async () => {
  const send = async (warnings: string) => {
    const opened = await open((_, response) => {
      response.writeHead(200, { ...ZSTD, trailer: 'x-archive-warnings' });
      response.write('x');
      response.addTrailers({ 'x-archive-warnings': warnings });
      response.end();
    });
    return (await take(opened)).warnings;
  };
  expect(await send('["a", 1, null, "b"]')).toEqual(['a', 'b']);
  for (const wrong of ['', '{', '{}', '"x"', 'null']) expect(await send(wrong)).toBeUndefined();
  const many = await send(JSON.stringify(Array.from({ length: 40 }, () => 'x'.repeat(350))));
  expect([many?.length, many?.[0]?.length]).toEqual([20, 300]);
});

test('one worker is saved one at a time, and few may wait', async () => {
  const waiting: (() => void)[] = [];
  let most = 0;
  let running = 0;
  const opened = await open((_, response) => {
    running += 1;
    most = Math.max(most, running);
    waiting.push(() => {
      running -= 1;
      response.writeHead(200, ZSTD).end('x');
    });
  });
  const all = Array.from({ length: 10 }, () => take(opened).catch((error: unknown) => error));
  const results = Promise.all(all);
  for (let n = 0; n < 8; n += 1) {
    await expect.poll(() => waiting.length).toBe(1);
    waiting.pop()?.();
  }
  const refused = (await results).filter((one) => one instanceof Error);
  expect([most, refused.length]).toEqual([1, 2]);
  expect(refused[0]).toMatchObject({ code: 'capacity' });
});

test('a worker that does not exist, and a checkpoint that does not', async () => {
  const { checkpoints, calls } = await open((request, response) => {
    request.resume();
    response.end();
  });
  await expect(checkpoints.take(randomUUID(), { trigger: 'request' })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(checkpoints.get(randomUUID())).rejects.toMatchObject({ code: 'not_found' });
  await checkpoints.fill(ID, PLACE, randomUUID());
  expect(calls.at(-1)?.path).toMatch(/^\/workspace\?error=/);
});

test.each([
  ['chunks.json', /its%20file%20chunks.json%20is%20not/],
  ['conversation.json', /its%20conversation%20cannot%20be%20read/],
])('a body that waits for a checkpoint with a damaged %s gets the reason', async (name, why) => {
  const { checkpoints, store, folder, calls } = await open((request, response) => {
    request.resume();
    response.end();
  });
  const source = toSource(Buffer.from('archive'));
  const conversation = { session: 's', archive: Buffer.from('files') };
  const { checkpoint_id: id } = await store.write(newCheckpoint(), {
    findBases: async () => [],
    open: async () => ({ source, conversation }),
    mostBytes: 1e6,
  });
  writeFileSync(join(folder, id, name), '{"x"');
  await expect(checkpoints.fill(ID, PLACE, id)).rejects.toMatchObject({ reason: 'CheckpointFailed' });
  expect(calls.map(({ path }) => path)).toEqual([expect.stringMatching(why)]);
});

test('a checkpoint that cannot be read for a moment is not refused', async () => {
  const { checkpoints, store, calls } = await open((request, response) => {
    request.resume();
    response.end();
  });
  const { checkpoint_id } = await write(store, { content: Buffer.from('archive') });
  const away = new Fault('unavailable', 'The bucket cannot be reached.');
  const checkpoint = await store.get(checkpoint_id);
  const stream = new Readable({ read: () => void stream.destroy(away) });
  Object.defineProperty(store, 'open', { value: async () => ({ checkpoint, stream }) });
  await expect(checkpoints.fill(ID, PLACE, checkpoint_id)).rejects.toBe(away);
  expect(calls.filter(({ path }) => path !== '/workspace')).toEqual([]);
});

test.each([
  ['CLAUDE', 'docker', 'docker', true],
  ['CLAUDE', 'process', 'process', false],
  ['CLAUDE', 'process', 'docker', false],
  ['CODEX', 'process', 'process', true],
  ['CUSTOM', 'process', 'docker', true],
])('the conversation of a %s agent on %s is continued on %s: %s', async (agent_type, from, to, expected) => {
  const received: Buffer[] = [];
  const command_line = agent_type === 'CUSTOM' ? ['true'] : undefined;
  const { checkpoints, store, adopted } = await open(
    (request, response) =>
      void buffer(request).then((bytes) => {
        received.push(bytes);
        response.end();
      }),
    { spec: { agent_type, runtime: to, command_line } },
  );
  const content = Buffer.from('archive');
  const { checkpoint_id } = await write(store, { content });
  const conversation = { session: 's', archive: Buffer.from('files') };
  const spec = workerSpec.parse({ agent_type, runtime: from, command_line });
  const first = await store.get(checkpoint_id);
  Object.defineProperty(store, 'open', {
    value: async () => {
      const opened = await CheckpointDirectory.prototype.open.call(store, checkpoint_id);
      return opened && { ...opened, checkpoint: { ...first, spec, conversation: true } };
    },
  });
  Object.defineProperty(store, 'conversation', { value: async () => conversation });
  await checkpoints.fill(ID, PLACE, checkpoint_id);
  expect(received).toEqual([content]);
  expect(adopted).toEqual(expected ? [conversation] : []);
});
