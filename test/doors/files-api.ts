/** Requests for the files of a worker as they are, without a client that changes paths, and archives to send. */
import { randomUUID } from 'node:crypto';
import { request as ask, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { expect, vi } from 'vitest';
import { openWorld, type RuntimeUnderTest } from '../faults/world.ts';
import type { Manager } from '../support/manager.ts';

/** A tar archive in ustar's format. */
export function tar(entries: [name: string, content: string][]): Buffer {
  return Buffer.concat([
    ...entries.flatMap(([name, content]) => {
      const header = Buffer.alloc(512);
      header.write(name, 0, 100, 'latin1');
      header.write('0000644\0', 100);
      header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
      header.write('14000000000\0        0', 136);
      header.write('ustar\u000000', 257);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      return [header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)];
    }),
    Buffer.alloc(1024),
  ]);
}

type Answer = { status: number | undefined; body: { items?: unknown[]; [field: string]: unknown } };

export function createFilesApi({ url, headers }: Manager, worker: string) {
  const { hostname, port } = new URL(url);
  const send = (
    method: string,
    path: string,
    options: { headers?: object; body?: Buffer | Readable; signal?: AbortSignal | undefined } = {},
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = ask(
        {
          hostname,
          port,
          method,
          path: `/v1/workers/${worker}/${path}`,
          headers: { ...headers, ...options.headers },
          ...(options.signal && { signal: options.signal }),
        },
        resolve,
      );
      request.on('error', reject);
      if (options.body instanceof Readable) options.body.pipe(request);
      else request.end(options.body);
    });
  const parse = async (response: IncomingMessage): Promise<Answer> => ({
    status: response.statusCode,
    body: (await json(response)) as Answer['body'],
  });
  const get = (path: string, headers: object = {}) => send('GET', path, { headers });
  const put = async (path: string, body: Buffer | Readable, signal?: AbortSignal, headers: object = {}) =>
    parse(await send('PUT', path, { body, signal, headers }));
  const call = Object.assign(async (method: string, path: string) => parse(await send(method, path)), {
    raw: send,
  });
  const run = async (shell: string) => {
    const response = await send('POST', 'exec', {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ shell })),
    });
    return (await json(response)) as { stdout: string; stderr: string; exit_code: number };
  };
  return { get, put, call, run };
}

/** A worker of its own, in a cell of its own, that is ready, and requests for its files. */
export async function openFiles(name: RuntimeUnderTest, more: object = {}, env: Record<string, string> = {}) {
  const world = await openWorld(name);
  const manager = await world.start(undefined, env);
  const worker = randomUUID();
  await world.create(worker, { stop_grace_seconds: 1, ...more });
  // The image of a locked worker may have to be built.
  await vi.waitFor(
    async () =>
      expect((await world.cell.store.status(worker))?.status).toMatchObject({
        status: 'RUNNING',
        phase: 'ready',
      }),
    { timeout: 200_000, interval: 20 },
  );
  return { ...world, worker, manager, ...createFilesApi(manager, worker) };
}
