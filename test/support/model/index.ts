/**
 * A stand-in for the model: the part of the Anthropic Messages API that agents use, scripted by what stands in the
 * prompt (script.ts). It keeps no conversation; only `x2` of a fault and `wait NAME` are remembered.
 *
 * Directives: `say TEXT` · `count` (how many prompts the conversation has) · `long N` · `think` · `run COMMAND` ·
 * `tool NAME {json}` · `wait NAME` (until the test calls `release(NAME)`) · `slow MS` (between pieces) ·
 * `error STATUS [xN]` · `hang` `stall` `cut` `garbage` `empty` `html` (each `[xN]`) · `max_tokens` · `refuse`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Act, type Message, nextStep } from './script.ts';
import { blockOf, messageOf, sendBlock, sendError, sendEvent, type Tool, USAGE } from './wire.ts';

/** One request that was seen. */
export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  /** The credential as it came: `x-api-key: …` or `authorization: …`; undefined where there was none. */
  credential: string | undefined;
  body: Body | undefined;
}

interface Body {
  model?: string;
  stream?: boolean;
  system?: unknown;
  messages?: Message[];
  tools?: Tool[];
}

export interface Model {
  url: string;
  port: number;
  /** In the order of arrival. */
  requests: Seen[];
  /** Lets all go on that wait for the name, now and later. */
  release(name: string): void;
  /** When somebody waits for the name, or has. */
  waiting(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts one. `host` is loopback, or a Docker bridge's address where containers are to reach it. */
export async function startModel({ host = '127.0.0.1' }: { host?: string } = {}): Promise<Model> {
  const requests: Seen[] = [];
  const faults = new Map<string, number>();
  const gates = new Map<
    string,
    { reached: PromiseWithResolvers<void>; released: PromiseWithResolvers<void> }
  >();
  const gate = (name: string) => {
    const known = gates.get(name) ?? { reached: Promise.withResolvers(), released: Promise.withResolvers() };
    gates.set(name, known);
    return known;
  };
  let replies = 0;

  /** Whether a fault that is to happen so many times happens this time. */
  const strikes = (key: string, times: number) => {
    const so = faults.get(key) ?? 0;
    faults.set(key, so + 1);
    return so < times;
  };

  async function reply(body: Body, response: ServerResponse): Promise<void> {
    const { acts, key } = isErrand(body)
      ? { acts: [{ do: 'say', text: 'A title' }] satisfies Act[], key: 'errand' }
      : nextStep(body.messages ?? []);
    const tools = body.tools ?? [];
    replies += 1;
    const id = `msg_${replies}`;
    const model = body.model ?? 'stand-in';
    const stream = body.stream === true;
    let ms = 0;
    const pause = async () => {
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    };
    const begin = () => {
      if (!stream || response.headersSent) return;
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      sendEvent(response, { type: 'message_start', message: messageOf(id, model, [], null) } as never);
    };
    const content = [];
    let stop = 'end_turn';
    for (const [index, act] of acts.entries()) {
      switch (act.do) {
        case 'wait':
          begin();
          gate(act.name).reached.resolve();
          await gate(act.name).released.promise;
          continue;
        case 'slow':
          ms = act.ms;
          continue;
        case 'stop':
          stop = act.reason;
          continue;
        case 'error':
          if (!strikes(`${key} ${index}`, act.times)) continue;
          if (!response.headersSent) return sendError(response, act.status);
          sendEvent(response, {
            type: 'error',
            error: { type: 'overloaded_error', message: 'The stand-in fails in mid-stream.' },
          } as never);
          response.end();
          return;
        case 'hang':
        case 'stall':
        case 'cut':
        case 'garbage':
        case 'empty':
        case 'html':
          if (!strikes(`${key} ${index}`, act.times)) continue;
          if (act.do !== 'hang') begin();
          return misbehave(act.do, stream, response);
      }
      const block = blockOf(act, tools, `toolu_${replies}_${index}`);
      if (!block) continue;
      begin();
      if (block.type === 'tool_use') stop = 'tool_use';
      if (stream) await sendBlock(response, content.length, block, pause);
      content.push(block);
    }
    if (!stream) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(messageOf(id, model, content, stop)));
      return;
    }
    begin();
    sendEvent(response, {
      type: 'message_delta',
      delta: { stop_reason: stop, stop_sequence: null },
      usage: USAGE,
    } as never);
    sendEvent(response, { type: 'message_stop' });
    response.end();
  }

  const server = createServer(async (request, response) => {
    response.on('error', () => {});
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const text = await textOf(request);
    const { 'x-api-key': key, authorization } = request.headers;
    const credential = key ? `x-api-key: ${key}` : authorization && `authorization: ${authorization}`;
    const body = parsed(text);
    const method = request.method ?? 'GET';
    requests.push({ method, path, headers: request.headers, credential, body });
    if (method !== 'POST') return void response.writeHead(200).end();
    if (path.endsWith('/count_tokens')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ input_tokens: USAGE.input_tokens }));
    }
    if (!path.endsWith('/messages') || !body) return sendError(response, 404);
    await reply(body, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    port,
    requests,
    release: (name) => gate(name).released.resolve(),
    waiting: (name) => gate(name).reached.promise,
    close: () =>
      new Promise((resolve) => {
        for (const { released } of gates.values()) released.resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A request beside the conversation, such as for its title: it follows no script. */
function isErrand({ tools, system }: Body): boolean {
  return (tools ?? []).length === 0 && /title|summar/i.test(JSON.stringify(system ?? ''));
}

function misbehave(fault: string, stream: boolean, response: ServerResponse): void {
  switch (fault) {
    case 'cut':
      // Behind what was written, so that it arrives first.
      response.write(' ', () => response.destroy());
      return;
    case 'garbage':
      response.end(stream ? 'event: content_block_delta\ndata: {"type": oops\n\n' : '{"type": oops');
      return;
    case 'empty':
      response.end();
      return;
    case 'html':
      response.end('<html><body>Bad gateway</body></html>');
  }
  // `hang` and `stall` leave it open; close() ends them.
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function parsed(text: string): Body | undefined {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return undefined;
  }
}
