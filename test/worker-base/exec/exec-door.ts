/** The door of a body on this machine, with the agent's environment but without an agent, and without tokens. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as ask, type IncomingMessage } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import type { WorkerSpec } from '../../../src/model/worker/spec.ts';
import { createDoorServer } from '../../../worker-base/door/server.ts';
import { createPrivileges } from '../../../worker-base/sandbox/privileges.ts';
import { workerSpec } from '../../conformance/subject.ts';

export interface ExecDoor {
  workspace: string;
  socketPath: string;
  /** Sends a request; resolves with the response, or rejects when the connection breaks. */
  send(
    method: string,
    path: string,
    options?: {
      body?: Buffer | string | Readable | object;
      headers?: Record<string, string>;
      signal?: AbortSignal;
    },
  ): Promise<IncomingMessage>;
  /** The JSON of a response, with its status. */
  ask(method: string, path: string, body?: object): Promise<{ status: number; body: any }>;
  /** Runs a command to its end. */
  run(request: object): Promise<any>;
  /** How often something has shown that the body is in use. */
  touched(): number;
  /** The end of the body. */
  end(): void;
  close(): void;
}

export async function openExecDoor(spec: Partial<WorkerSpec> = {}): Promise<ExecDoor> {
  const workspace = mkdtempSync(join(tmpdir(), 'exec-'));
  const settings = {
    workerId: randomUUID(),
    incarnation: 1,
    bodyId: undefined,
    workspace,
    inherited: { PATH: process.env.PATH ?? '', SHOWN: 'yes' },
  };
  const full = workerSpec(spec);
  const privileges = createPrivileges(settings, full);
  const stop = new AbortController();
  let touched = 0;
  const environment = {
    privileges,
    touch: () => {
      touched += 1;
    },
    processOptions: () => ({
      argv: [],
      cwd: workspace,
      env: { ...settings.inherited, WORKER_ID: settings.workerId },
      killRest: async () => {},
    }),
  };
  const body = { settings, spec: full, log: {}, signal: stop.signal, environment: async () => environment };
  const server = createDoorServer({
    refusal: async () => undefined,
    about: () => ({ worker_id: settings.workerId, incarnation: 1 }),
    body: () => body as never,
    log: { error: (message, fields) => console.error(message, fields) },
  });
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) =>
    server.accept(socket),
  );
  const socketPath = join(workspace, '..', `${randomUUID()}.sock`);
  await new Promise<void>((resolve) => listener.listen(socketPath, resolve));
  const send: ExecDoor['send'] = (method, path, { body, headers = {}, signal } = {}) =>
    new Promise((resolve, reject) => {
      const request = ask(
        { socketPath, method, path, headers, agent: false, ...(signal && { signal }) },
        resolve,
      );
      request.on('error', reject);
      if (body instanceof Readable) body.pipe(request);
      else if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body);
      else request.end(JSON.stringify(body));
    });
  const askJson: ExecDoor['ask'] = async (method, path, body) => {
    const response = await send(method, path, { ...(body && { body }) });
    return { status: response.statusCode ?? 0, body: await json(response) };
  };
  return {
    workspace,
    socketPath,
    send,
    ask: askJson,
    run: async (request) => (await askJson('POST', '/exec', request)).body,
    touched: () => touched,
    end: () => stop.abort(),
    close() {
      stop.abort();
      server.close();
      listener.close();
      rmSync(workspace, { recursive: true, force: true });
    },
  };
}

/** Server-sent events of a response, to its end; rejects if it was cut. */
export async function* readEvents(
  response: AsyncIterable<Buffer>,
): AsyncGenerator<{ event: string; id?: string; data: any }> {
  let text = '';
  for await (const part of response) {
    text += part.toString();
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      const lines = text.slice(0, at).split('\n');
      text = text.slice(at + 2);
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const [event, id, data] = [field('event'), field('id'), field('data')];
      if (event && data) yield { event, ...(id && { id }), data: JSON.parse(data) };
    }
  }
}
