/**
 * The HTTP API of a real manager: a page of a list of 10,000 workers; a create, compared with the same command on the
 * stream; how many creates are accepted in a second and what they cost; and the time of a line to a reader of
 * server-sent events, compared with a blocked reader of the same Redis stream at the same moments.
 */
import { randomUUID } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { cpuSeconds } from './cpu-seconds.ts';
import { type BenchManager, startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, quantile, type Result, reported } from './result.ts';
import { createTimedAgent, toLineTimes } from './timed-agent.ts';

const WORKERS = 10_000;
const LISTS = 60;
const PAIRS = 100;
const CREATES = 3000;
/** Clients that send creates at the same time. */
const CLIENTS = 32;
const LINES = 4000;
const LINES_A_SECOND = 1000;
/** The first ones warm up the compilers. */
const WARM_UP = 1000;
const TOKEN = 'bench-token';

const AGENT = createTimedAgent(LINES, LINES_A_SECOND);
const PLAIN = { agent_type: 'CUSTOM', command_line: ['true'], runtime: 'process' };
/** Boots until it is deleted. While it does, other workers are accepted and wait for their start. */
const BOOTING = {
  ...PLAIN,
  command_line: ['sleep', 'infinity'],
  protocol: 'json',
  start_deadline_seconds: 3600,
};

export async function benchHttp({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  await bundleWrapper();
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({
    REDIS_URL: redisUrl,
    CELL: cell,
    RUNTIME: 'process',
    API_TOKEN: TOKEN,
    MAX_WORKERS_TOTAL: 'none',
    MAX_CONCURRENT_STARTS: '1',
  });
  const api = new Client(manager.url);
  try {
    const lines = await measureLines(api, redisUrl, orchestrator);
    await orchestrator.ask({ command: 'create', worker_id: randomUUID(), ...BOOTING });
    const pairs = await measureCreates(api, orchestrator);
    const rate = await measureRate(api, manager);
    const lists = await measureLists(api, orchestrator);
    const difference = median(pairs.http) - median(pairs.stream);
    const ratio = lines.sse / lines.redis;
    return [
      {
        name: 'GET /v1/workers?limit=100 with 10,000 workers, p50',
        value: median(lists),
        unit: 'ms',
        goal: '<= 10',
        met: median(lists) <= 10,
      },
      {
        name: 'create over HTTP, over the same command on the stream, p50',
        value: difference,
        unit: 'ms more',
        goal: '<= 2',
        met: difference <= 2,
        note: `${median(pairs.http).toFixed(2)} and ${median(pairs.stream).toFixed(2)} ms`,
      },
      {
        name: 'creates over HTTP for a second of CPU of the manager',
        value: rate.perCpuSecond,
        unit: '',
        goal: '>= 1000',
        met: rate.perCpuSecond >= 1000,
        note: `${rate.perSecond.toFixed(0)} accepted a second by ${CLIENTS} clients`,
      },
      {
        name: 'line to a reader of server-sent events, over a Redis reader, p50',
        value: ratio,
        unit: 'times',
        goal: '<= 1.5',
        met: ratio <= 1.5,
        note: `${lines.sse.toFixed(2)} and ${lines.redis.toFixed(2)} ms`,
      },
      reported('line to a reader of server-sent events, p99', lines.sse99, 'ms'),
    ];
  } finally {
    api.close();
    await manager.stop();
    await orchestrator.close(cell);
  }
}

/** A client with kept connections, which costs less than what is measured. */
class Client {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

  constructor(url: string) {
    this.#url = url;
  }

  async send(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    const response = await this.open(method, path, body);
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += part;
    return { status: response.statusCode ?? 0, text };
  }

  open(method: string, path: string, body?: object) {
    const payload = body && JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      ...(payload && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    };
    return new Promise<IncomingMessage>((resolve, reject) => {
      const agent = path.endsWith('/output') ? undefined : this.#agent;
      const sent = request(new URL(path, this.#url), { method, headers, agent }, resolve);
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function measureLines(api: Client, redisUrl: string, orchestrator: BenchOrchestrator) {
  const worker_id = randomUUID();
  const reader = new Redis(redisUrl);
  const command_line = [process.execPath, '-e', AGENT];
  const { status, text } = await api.send('POST', '/v1/workers', { ...PLAIN, worker_id, command_line });
  if (status !== 201) throw new Error(`create: ${status} ${text}`);
  try {
    const [redis, sse] = await Promise.all([
      readStream(reader, orchestrator.keys.output(worker_id)),
      readEvents(api, worker_id),
    ]);
    const [direct, events] = [redis.slice(WARM_UP), sse.slice(WARM_UP)];
    return { redis: median(direct), sse: median(events), sse99: quantile(events, 0.99) };
  } finally {
    reader.disconnect();
    await orchestrator.delete([worker_id]);
  }
}

async function readStream(reader: Redis, key: string): Promise<number[]> {
  const times: number[] = [];
  for (let last = '0'; times.length < LINES; ) {
    const reply = await reader.xread('BLOCK', 20_000, 'STREAMS', key, last);
    if (!reply) throw new Error('The worker printed nothing for 20 s.');
    for (const [id, fields] of reply[0]?.[1] ?? []) {
      last = id;
      const { type, content } = JSON.parse(fields[1] ?? '') as { type: string; content: string };
      if (type === 'stdout') times.push(...toLineTimes(content));
    }
  }
  return times;
}

async function readEvents(api: Client, id: string): Promise<number[]> {
  const times: number[] = [];
  const response = await api.open('GET', `/v1/workers/${id}/output`);
  if (response.statusCode !== 200) throw new Error(`output: ${response.statusCode}`);
  for await (const line of createInterface(response)) {
    if (!line.startsWith('data:')) continue;
    const { type, content } = JSON.parse(line.slice(5)) as { type: string; content: string };
    if (type === 'stdout') times.push(...toLineTimes(content));
    if (times.length >= LINES) break;
  }
  response.destroy();
  return times;
}

/** Milliseconds of creates: over HTTP, and from writing the command to reading its response. */
async function measureCreates(api: Client, orchestrator: BenchOrchestrator) {
  const times: { http: number[]; stream: number[] } = { http: [], stream: [] };
  for (let pair = 0; pair < PAIRS; pair += 1) {
    let began = performance.now();
    await api.send('POST', '/v1/workers', { ...PLAIN, worker_id: randomUUID() });
    times.http.push(performance.now() - began);
    began = performance.now();
    await orchestrator.ask({ command: 'create', worker_id: randomUUID(), ...PLAIN });
    times.stream.push(performance.now() - began);
  }
  return times;
}

async function measureRate(api: Client, { process: { pid = 0 } }: BenchManager) {
  let left = CREATES;
  const before = cpuSeconds(pid);
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left > 0) {
        left -= 1;
        const { status, text } = await api.send('POST', '/v1/workers', { ...PLAIN, worker_id: randomUUID() });
        if (status !== 201) throw new Error(`create: ${status} ${text}`);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const used = cpuSeconds(pid) - before;
  return { perSecond: CREATES / seconds, perCpuSecond: CREATES / used };
}

async function measureLists(api: Client, orchestrator: BenchOrchestrator): Promise<number[]> {
  const existing = await orchestrator.redis.zcard(orchestrator.keys.workers);
  for (let n = existing; n < WORKERS; n += 1) {
    const sent = orchestrator.send({ command: 'create', ...PLAIN, worker_id: randomUUID() });
    if (n % 500 === 0) await sent;
  }
  while ((await orchestrator.redis.zcard(orchestrator.keys.workers)) < WORKERS)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const times: number[] = [];
  for (let round = 0; round < LISTS; round += 1) {
    const began = performance.now();
    const { status } = await api.send('GET', '/v1/workers?limit=100');
    if (status !== 200) throw new Error(`list: ${status}`);
    times.push(performance.now() - began);
  }
  return times;
}
