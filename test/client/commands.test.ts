import { expect, test } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { type ScriptedHandler, sendJson, startScriptedServer } from './server.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const VIEW = { worker_id: ID, status: 'RUNNING', agent_type: 'CUSTOM' };
const toEvent = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
const STARTED = toEvent('started', { process_id: 'one' });
const OUTPUT = toEvent('stdout', { content: 'hello\n', offset: 0 });
const EXIT = toEvent('exit', { process_id: 'one', output_bytes: 6, exit_code: 0, signal: null });

/** A worker whose commands the handler answers; also returns the port of the client of each command. */
async function openWorker(handle: ScriptedHandler) {
  const ports: (number | undefined)[] = [];
  const server = await startScriptedServer((response, at, request) => {
    if (!request.url?.endsWith('/exec')) return sendJson(response, 200, VIEW);
    ports.push(request.socket.remotePort);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    handle(response, at, request);
  });
  return { worker: await connect({ url: server.url }).workers.get(ID), ports };
}

test('the connection of a command is used for the next ones', async () => {
  const { worker, ports } = await openWorker((response) => {
    response.write(STARTED + OUTPUT);
    // The end of the response comes after the last event, as that of a command does.
    response.write(EXIT, () => setTimeout(() => response.end(), 10));
  });
  for (let run = 0; run < 8; run += 1)
    expect(await worker.commands.run(['true'])).toMatchObject({ exit_code: 0, stdout: 'hello\n' });
  // The client opens a second one if the first is free a moment too late.
  expect(new Set(ports).size).toBeLessThanOrEqual(2);
});

test('a connection that is cut after the last event does not take the result away', async () => {
  const { worker } = await openWorker((response) => {
    response.write(STARTED + OUTPUT + EXIT, () => setImmediate(() => response.destroy()));
  });
  expect(await worker.commands.run(['true'])).toMatchObject({ exit_code: 0, stdout: 'hello\n' });
});

test('a connection that is cut before the last event is an error', async () => {
  const { worker } = await openWorker((response) => {
    response.write(STARTED + OUTPUT, () => setImmediate(() => response.destroy()));
  });
  await expect(worker.commands.run(['true'])).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('A command ends with its connection, unless it runs in the background.'),
  });
});
