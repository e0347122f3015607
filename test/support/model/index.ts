/**
 * A stand-in for the model: the part of the Anthropic Messages API and of OpenAI's Responses API that agents use,
 * scripted by the prompt (script.ts). It keeps no conversation; only `x2` of a fault and `wait NAME` are remembered.
 *
 * Directives: `say TEXT` · `count` (how many prompts the conversation has) · `long N` · `think` · `run COMMAND` ·
 * `tool NAME {json}` · `wait NAME` (until the test calls `release(NAME)`) · `slow MS` (between pieces) ·
 * `error STATUS [xN]` · `hang` `stall` `cut` `garbage` `empty` `html` (each `[xN]`) · `max_tokens` · `refuse`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messages } from './messages.ts';
import { responses } from './responses.ts';
import { type Act, nextStep } from './script.ts';
import { blockOf, type Question, type Stop, USAGE, type Wire } from './wire.ts';

/** One request that was seen. */
export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  /** The credential as it came: `x-api-key: …` or `authorization: …`; undefined where there was none. */
  credential: string | undefined;
  body: Body | undefined;
  /** What was asked, where it was a reply of the model. */
  question?: Question;
}

type Body = Record<string, unknown>;

export interface Model {
  url: string;
  port: number;
  /** In the order of arrival. */
  requests: Seen[];
  /** Releases all that wait for the name, now and later. */
  release(name: string): void;
  /** Resolves once a request waits for the name, or has. */
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

  /** Whether a fault that is limited to `times` occurrences happens this time. */
  const strikes = (key: string, times: number) => {
    const so = faults.get(key) ?? 0;
    faults.set(key, so + 1);
    return so < times;
  };

  async function reply(wire: Wire, question: Question, response: ServerResponse): Promise<void> {
    const { acts, key } = question.errand
      ? { acts: [{ do: 'say', text: 'A title' }] satisfies Act[], key: 'errand' }
      : nextStep(question.messages);
    replies += 1;
    const answer = wire.reply(response, question, String(replies));
    let ms = 0;
    const pause = async () => {
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    };
    let begun = false;
    const begin = () => {
      if (!begun) answer.begin();
      begun = true;
    };
    let stop: Stop = 'end_turn';
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
          return response.headersSent ? answer.fail() : wire.refuse(response, act.status);
        case 'hang':
        case 'stall':
        case 'cut':
        case 'garbage':
        case 'empty':
        case 'html':
          if (!strikes(`${key} ${index}`, act.times)) continue;
          if (act.do !== 'hang') begin();
          return misbehave(act.do, question.stream, response);
      }
      const block = blockOf(act, question.tools, `toolu_${replies}_${index}`);
      if (!block) continue;
      begin();
      if (block.type === 'tool_use') stop = 'tool_use';
      await answer.send(block, pause);
    }
    begin();
    answer.end(stop);
  }

  const server = createServer(async (request, response) => {
    response.on('error', () => {});
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const text = await textOf(request);
    const { 'x-api-key': key, authorization } = request.headers;
    const credential = key ? `x-api-key: ${key}` : authorization && `authorization: ${authorization}`;
    const body = parsed(text);
    const method = request.method ?? 'GET';
    const seen: Seen = { method, path, headers: request.headers, credential, body };
    requests.push(seen);
    if (method !== 'POST') return void response.writeHead(200).end();
    if (path.endsWith('/count_tokens')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ input_tokens: USAGE.input_tokens }));
    }
    const wire = wireAt(path);
    if (!wire || !body) return (wire ?? messages).refuse(response, 404);
    const question = wire.read(body, path);
    seen.question = question;
    await reply(wire, question, response);
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

/** The API that a path belongs to. */
function wireAt(path: string): Wire | undefined {
  if (path.endsWith('/messages')) return messages;
  return path.endsWith('/responses') ? responses : undefined;
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
