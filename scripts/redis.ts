/**
 * Gives the demo, `npm start` and the tests a Redis: the one in REDIS_URL, else a private one that ends with its caller.
 *
 * A private one listens on loopback; where Docker bodies have to reach it, on the address of Docker's bridge too, and then
 * it asks for a random password. It is a server from the PATH, else one that apt installs, else a container.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { Redis } from 'ioredis';
import { redactUrl } from '../src/telemetry/redact.ts';
import { has, installWithApt } from './ensure-docker.ts';
import { configOf, type PrivateRedis } from './redis-config.ts';
import { DEFAULT_REDIS_IMAGE, startRedisContainer } from './redis-container.ts';

export interface RedisAccess {
  /** As this machine sees it. Holds the password where there is one: never print it. */
  url: string;
  /** As a Docker body sees it; `undefined` where the manager finds that out by itself. */
  bodyUrl: string | undefined;
  /** Where it came from, for people. */
  how: string;
  /** Ends a private one and removes what it wrote; leaves any other alone. May be called twice. */
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** The engine whose containers have to reach it, and which may run it where there is no other way. */
  docker?: Docker | undefined;
  /** Where its data, port and password are kept from one start to the next; else they end with it. */
  directory?: string | undefined;
  /** Ways to get a private one, in the order in which they are tried. */
  ways?: ('path' | 'apt' | 'container')[];
  image?: string;
}

const SERVERS = ['redis-server', 'valkey-server'];
/** A server with an empty or a small data set takes 50 ms. */
const READY_MS = 15_000;
const STOP_MS = 5000;
const HOW =
  'Set REDIS_URL to a Redis that runs, put redis-server or valkey-server on the PATH, or start Docker. As root on Debian or Ubuntu it is installed by itself.';

/** Finds or starts a Redis; the error says what was tried and what to do. */
export async function ensureRedis(
  log: (line: string) => void,
  options: RedisOptions = {},
): Promise<RedisAccess | { error: string }> {
  const { docker, ways = ['path', 'apt', 'container'] } = options;
  const given = process.env.REDIS_URL;
  if (given) return await useGiven(given);

  const tried: string[] = [];
  const fromPath = () => (ways.includes('path') ? SERVERS.find(has) : undefined);
  if (!fromPath() && ways.includes('apt')) {
    const failure = install(log);
    if (failure) tried.push(failure);
  }
  const bridge = docker && (await bridgeAddress(docker));
  const program = fromPath();
  if (program) {
    const plan = await planOf(bridge, options.directory);
    const server = await startServer(program, plan, options.directory);
    if (!('error' in server)) return { ...access(plan, bridge), how: `a private ${program}`, ...server };
    return server;
  }
  if (docker && ways.includes('container')) {
    const plan = await planOf(bridge, undefined);
    const server = await startRedisContainer(docker, plan, options.image ?? DEFAULT_REDIS_IMAGE, log);
    if (!('error' in server) && (await answers(access(plan, bridge).url)))
      return { ...access(plan, bridge), how: `a private container of Redis`, ...server };
    tried.push('error' in server ? server.error : 'Its container does not answer.');
    if (!('error' in server)) await server.stop();
  } else tried.push('no Docker daemon answers that could run it');
  return {
    error: `There is no Redis: neither redis-server nor valkey-server is on the PATH; ${tried.join('; ')}. ${HOW}`,
  };
}

async function useGiven(url: string): Promise<RedisAccess | { error: string }> {
  if (URL.canParse(url) && (await answers(url, 3000)))
    return { url, bodyUrl: process.env.WORKER_REDIS_URL, how: 'REDIS_URL', stop: async () => {} };
  const shown = redactUrl(url);
  return {
    error: `REDIS_URL is ${shown}, and no Redis answers there. Start it, or unset REDIS_URL for a private one.`,
  };
}

/** Installs it where apt and the rights are there; answers why it is not. */
function install(log: (line: string) => void): string | undefined {
  if (!has('apt-get')) return 'there is no apt to install it';
  if (process.getuid?.() !== 0) return 'only root may install it with apt';
  log('Installing redis-server with apt …');
  return installWithApt(['redis-server'], log)?.replace(/\. Install Docker.*$/s, '');
}

/** The address by which containers reach this machine; `undefined` where the engine runs on another one. */
export async function bridgeAddress(docker: Docker): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'host.docker.internal';
  const { Gateway, Subnet } = (await docker.getNetwork('bridge').inspect()).IPAM?.Config?.[0] ?? {};
  // An engine that has just made its bridge tells the subnet only; the bridge has its first address.
  const address: string | undefined = Gateway ?? Subnet?.replace(/\.\d+\/\d+$/, '.1');
  // Tried, because the system's list leaves out a bridge that no container is on at the moment.
  return address && (await freePort(0, address).catch(() => undefined)) ? address : undefined;
}

async function planOf(bridge: string | undefined, directory: string | undefined): Promise<PrivateRedis> {
  const beyond = bridge !== undefined && bridge !== 'host.docker.internal';
  const addresses = ['127.0.0.1', ...(beyond ? [bridge] : [])];
  if (!directory) return { port: await freePort(0), addresses, password: beyond ? newPassword() : undefined };
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  // Bodies of the last start still know this port and password, and come back to it.
  const port = await freePort(Number(kept(directory, 'port', () => '0')));
  writeFileSync(join(directory, 'port'), String(port));
  return { port, addresses, password: kept(directory, 'password', newPassword) };
}

const newPassword = () => randomBytes(24).toString('hex');

function kept(directory: string, name: string, make: () => string): string {
  const file = join(directory, name);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    writeFileSync(file, make(), { mode: 0o600 });
    return readFileSync(file, 'utf8');
  }
}

function access({ port, password }: PrivateRedis, bridge: string | undefined) {
  const url = (host: string) => `redis://${password ? `default:${password}@` : ''}${host}:${port}`;
  return { url: url('127.0.0.1'), bodyUrl: bridge && url(bridge) };
}

async function startServer(
  program: string,
  plan: PrivateRedis,
  directory: string | undefined,
): Promise<{ stop(): Promise<void> } | { error: string }> {
  const data = directory ?? mkdtempSync(join(tmpdir(), 'worker-manager-redis-'));
  // In a session of its own, so that Ctrl-C ends its users before it.
  const server = spawn(program, ['-'], { cwd: data, detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
  let said = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-2000);
  });
  server.on('error', (error) => {
    said = error.message;
  });
  server.stdin.on('error', () => {});
  // By stdin, because arguments can be read by everybody.
  server.stdin.end(configOf(plan, data));
  const endNow = () => server.kill('SIGKILL');
  process.once('exit', endNow);
  const stop = async () => {
    await end(server);
    process.off('exit', endNow);
    if (!directory) rmSync(data, { recursive: true, force: true });
  };
  if (await answers(access(plan, undefined).url, READY_MS, () => isOver(server))) return { stop };
  await stop();
  return { error: `A private ${program} could not be started: ${said.trim().split('\n').at(-1)}. ${HOW}` };
}

const isOver = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

async function end(server: ChildProcess): Promise<void> {
  if (isOver(server)) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const late = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
  server.kill('SIGTERM');
  await ended;
  clearTimeout(late);
}

/** Whether a Redis takes commands there within the time. */
async function answers(url: string, ms = READY_MS, isInVain = () => false): Promise<boolean> {
  const until = performance.now() + ms;
  const again = () => (performance.now() < until && !isInVain() ? 50 : null);
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: again,
    connectTimeout: ms,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => {});
  try {
    await client.connect().catch(() => {});
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** The wanted port if it is free, else any that is; throws where the address is none of this machine's. */
export function freePort(wanted = 0, address = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      wanted === 0 ? reject(error) : freePort(0, address).then(resolve, reject),
    );
    server.listen(wanted, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}
