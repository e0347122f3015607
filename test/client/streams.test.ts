import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { readEventStream } from '../../src/client/http/event-stream.ts';
import { connect } from '../../src/client/index.ts';
import { all, take } from './collect.ts';
import { formatEvent, type ScriptedHandler, sendJson, startScriptedServer } from './server.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const VIEW = { worker_id: ID, status: 'RUNNING', agent_type: 'CUSTOM' };
const path = `/v1/workers/${ID}/output`;
const END = 'event: end\ndata: {}\n\n';

/** A worker whose output the handler serves; the number counts the streams. */
async function openWorker(handle: ScriptedHandler, options: { reconnectSeconds?: number } = {}) {
  let streams = 0;
  const server = await startScriptedServer((response, _at, request) => {
    if (!request.url?.includes('/output')) return sendJson(response, 200, VIEW);
    handle(response, streams, request);
    streams += 1;
  });
  const worker = await connect({ url: server.url, ...options }).workers.get(ID);
  server.requests.splice(0);
  return { worker, requests: server.requests };
}

const begin = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
const entries = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => formatEvent(from + at, { seq: from + at })).join('');

test('an entry has its ID beside its own fields', async () => {
  const { worker } = await openWorker((response) =>
    begin(response).end(formatEvent(3, { type: 'turn_started', entry_id: '1-0' }) + END),
  );
  expect(await all(worker.output())).toEqual([{ type: 'turn_started', entry_id: '1-0', id: '3-0' }]);
});

test('a stream continues after its last entry, whatever breaks', async () => {
  const { worker, requests } = await openWorker((response, at) => {
    if (at === 1) return response.destroy();
    if (at === 2) return sendJson(response, 503, { error: { code: 'unavailable', message: 'no' } });
    begin(response);
    // Cut in the middle of an entry.
    if (at === 0) response.write(entries(1, 3) + entries(4, 4).slice(0, 20), () => response.destroy());
    // Ends without its last event, as when a manager shuts down.
    else if (at === 3) response.end(`: heartbeat\n\n${entries(4, 5)}`);
    else response.end(entries(6, 7) + END);
  });
  const seqs = (await all(worker.output())).map(({ seq, id }) => `${seq} ${id}`);
  expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7].map((seq) => `${seq} ${seq}-0`));
  expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([
    '0-0',
    '3-0',
    '3-0',
    '3-0',
    '5-0',
  ]);
});

test('characters and entries that are cut anywhere arrive unchanged', async () => {
  const text = Buffer.from(formatEvent(1, { content: 'größe 👋\n' }) + END);
  for (let cut = 1; cut < text.length; cut += 7) {
    const { worker } = await openWorker((response) => {
      begin(response);
      response.write(text.subarray(0, cut), () => setImmediate(() => response.end(text.subarray(cut))));
    });
    expect(await all(worker.output())).toMatchObject([{ content: 'größe 👋\n' }]);
  }
});

test('the last entries are read once, also if the connection breaks before there are new ones', async () => {
  const { worker, requests } = await openWorker((response, at) => {
    begin(response);
    // The position, then the last two entries, then what follows.
    if (at === 0) response.end(entries(9, 9));
    else if (at === 1) response.end(entries(8, 9));
    else if (at === 2) response.write(':\n\n', () => response.destroy());
    else response.end(entries(10, 11) + END);
  });
  expect((await all(worker.output({ tail: 2 }))).map(({ seq }) => seq)).toEqual([8, 9, 10, 11]);
  expect(requests.map(({ url, headers }) => `${url} ${headers['last-event-id']}`)).toEqual([
    `${path}?tail=1&follow=false undefined`,
    `${path}?tail=2&follow=false undefined`,
    `${path}?follow=true 9-0`,
    `${path}?follow=true 9-0`,
  ]);
});

test('an empty output is followed from its start', async () => {
  const { worker, requests } = await openWorker((response, at) => {
    begin(response);
    response.end(at === 0 ? '' : entries(1, 1) + END);
  });
  expect(await all(worker.output({ tail: 0 }))).toHaveLength(1);
  expect(requests[1]?.headers['last-event-id']).toBe('0-0');
});

test('leaving a stream closes its connection', async () => {
  let closed = false;
  const { worker } = await openWorker((response) => {
    begin(response).write(entries(1, 3));
    response.once('close', () => {
      closed = true;
    });
  });
  expect(await take(worker.output(), 2)).toHaveLength(2);
  await expect.poll(() => closed).toBe(true);
});

test('a refusal ends a stream, and so does a manager that stays away', async () => {
  const refused = await openWorker((response) =>
    sendJson(response, 404, { error: { code: 'not_found', message: 'no' } }),
  );
  await expect(all(refused.worker.output())).rejects.toMatchObject({ code: 'not_found', status: 404 });
  expect(refused.requests).toHaveLength(1);
  const away = await openWorker(
    (response, at) => {
      if (at > 0) response.destroy();
      else begin(response).write(entries(1, 1), () => response.destroy());
    },
    { reconnectSeconds: 0.3 },
  );
  await expect(all(away.worker.output())).rejects.toMatchObject({ code: 'unavailable' });
  expect(away.requests.length).toBeGreaterThan(1);
});

test('an error of the reader is not retried', async () => {
  const { worker, requests } = await openWorker((response) => begin(response).write(entries(1, 3)));
  const read = async () => {
    for await (const _ of worker.output()) throw new Error('mine');
  };
  await expect(read()).rejects.toThrow('mine');
  expect(requests).toHaveLength(1);
});

test('a connection without heartbeats counts as broken', async () => {
  const body = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const reading = readEventStream(body, new AbortController().signal, 30).next();
  await expect(reading).rejects.toMatchObject({ code: 'unavailable', message: /sent nothing/ });
});
