/**
 * A terminal and a port of a worker through a real manager: the time from a key to its echo, and requests to a server in the
 * worker, compared with the same requests sent to it directly.
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { WebSocket } from 'ws';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { connect } from '../src/client/index.ts';
import { startManager } from './manager.ts';
import { median, quantile, type Result } from './result.ts';

const KEYS = 500;
const REQUESTS = 4000;
/** The first ones warm up the compilers. */
const WARM_UP = 500;
/** Requests at the same time, as a browser sends them. */
const CLIENTS = 6;
const TOKEN = 'bench-token';
/** A development server needs some milliseconds for a module; without work of its own, only the way is measured. */
const WORK_MS = 5;
const SERVER = `const [port] = process.argv.slice(-1);
require('node:http').createServer((request, response) => {
  const answer = () => response.end('x'.repeat(2000));
  if (request.url === '/work') setTimeout(answer, ${WORK_MS}); else answer();
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));`;

export async function benchTerminal({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  await bundleWrapper();
  const env = {
    REDIS_URL: redisUrl,
    CELL: `bench-${randomUUID().slice(0, 8)}`,
    RUNTIME: 'process',
    API_TOKEN: TOKEN,
  };
  const manager = await startManager(env);
  const client = connect({ url: manager.url, token: TOKEN });
  try {
    const worker = await client.workers.create(
      { agent_type: 'CUSTOM', command_line: ['cat'] },
      { wait: 'ready' },
    );
    const echoes = await measureKeys(`${manager.url.replace('http', 'ws')}/v1/workers/${worker.id}/pty`);
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const serving = await worker.commands.run(['node', '-e', SERVER, '--', String(port)], {
      background: true,
    });
    void serving.wait().catch(() => {});
    const through = `${manager.url}/v1/workers/${worker.id}/ports/${port}`;
    const direct = `http://127.0.0.1:${port}`;
    await untilReady(`${through}/`);
    const [busy, plain] = [await compare(through, direct, '/work'), await compare(through, direct, '/')];
    await worker.delete({});
    const note = ({ there, here }: Rates) => `${there.toFixed(0)} and ${here.toFixed(0)} a second`;
    return [
      {
        name: 'key to echo in a terminal, p50',
        value: median(echoes),
        unit: 'ms',
        goal: '<= 5',
        met: median(echoes) <= 5,
        note: `p99 ${quantile(echoes, 0.99).toFixed(2)} ms`,
      },
      {
        name: `requests to a port that take ${WORK_MS} ms, over direct ones`,
        value: busy.there / busy.here,
        unit: 'times',
        goal: '>= 0.7',
        met: busy.there / busy.here >= 0.7,
        note: note(busy),
      },
      {
        name: 'requests to a port that take no time, over direct ones',
        value: plain.there / plain.here,
        unit: 'times',
        goal: '>= 0.7',
        met: plain.there / plain.here >= 0.7,
        note: note(plain),
      },
    ];
  } finally {
    await client.close();
    await manager.stop();
  }
}

/** Milliseconds from each key to its echo by the terminal. */
async function measureKeys(url: string): Promise<number[]> {
  const socket = new WebSocket(`${url}?command=cat`, { headers: { authorization: `Bearer ${TOKEN}` } });
  let arrived = Promise.withResolvers<void>();
  const opened = arrived.promise;
  socket.on('message', () => arrived.resolve());
  await opened;
  const times: number[] = [];
  for (let key = 0; key < KEYS; key += 1) {
    arrived = Promise.withResolvers();
    const began = performance.now();
    socket.send(Buffer.from(key % 40 === 39 ? '\r' : 'x'));
    await arrived.promise;
    times.push(performance.now() - began);
  }
  socket.terminate();
  return times.slice(KEYS / 10);
}

interface Rates {
  there: number;
  here: number;
}

async function compare(through: string, direct: string, path: string): Promise<Rates> {
  await rate(`${direct}${path}`, WARM_UP);
  await rate(`${through}${path}`, WARM_UP);
  const here = await rate(`${direct}${path}`, REQUESTS);
  return { there: await rate(`${through}${path}`, REQUESTS), here };
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const status = await get(url, new Agent()).catch(() => 0);
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('The server in the worker did not start.');
}

/** Requests a second. */
async function rate(url: string, count: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  let left = count;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left > 0) {
        left -= 1;
        const status = await get(url, agent);
        if (status !== 200) throw new Error(`${url} answers ${status}.`);
      }
    }),
  );
  agent.destroy();
  return count / ((performance.now() - began) / 1000);
}

function get(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers: { authorization: `Bearer ${TOKEN}` } }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}
