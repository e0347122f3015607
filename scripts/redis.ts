/**
 * Provides a Redis for the demo, `npm start` and the tests: the one in REDIS_URL, otherwise a private one that ends
 * with its caller.
 *
 * A private Redis listens on loopback; if Docker bodies must reach it, also on the address of Docker's bridge, and then
 * it requires a random password. It is a server from the PATH, otherwise one that apt installs, otherwise a container.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { redactUrl } from '../src/telemetry/redact.ts';
import { has, installWithApt } from './ensure-docker.ts';
import { type KeptRedis, type Launched, openKeptRedis } from './kept-redis.ts';
import { configOf, newPassword, type PrivateRedis, urlAt } from './redis-config.ts';
import { DEFAULT_REDIS_IMAGE, startRedisContainer } from './redis-container.ts';
import { freePort, redisResponds } from './redis-port.ts';

export interface RedisAccess {
  /** The URL from this machine. It may contain a password: never print it. */
  url: string;
  /** The URL from a Docker body; `undefined` if the manager detects it. */
  bodyUrl: string | undefined;
  /** Where it comes from, for people. */
  how: string;
  /** Another start launched it, and this one shares it. */
  joined?: boolean;
  /** For the manager to inherit; see `KeptRedis`. */
  usersFd?: number;
  /**
   * Stops a private Redis and removes its files; does not stop any other, or one that other processes of its directory
   * use. Returns whether it was stopped. May be called twice.
   */
  stop(): Promise<boolean>;
}

export interface RedisOptions {
  /** The engine whose containers must reach it, and which can run it if there is no other way. */
  docker?: Docker | undefined;
  /** Directory where its data, port and password are kept between starts; without it they are removed at its end. */
  directory?: string | undefined;
  /** Ways to get a private one, in the order in which they are tried. */
  ways?: ('path' | 'apt' | 'container')[];
  image?: string;
}

const SERVERS = ['redis-server', 'valkey-server'];
/** A server with little data takes 50 ms; one with much data loads it first. */
const READY_MS = 60_000;
const STOP_MS = 5000;
const HOW =
  'Set REDIS_URL to a running Redis, install redis-server or valkey-server on the PATH, or start Docker. As root on Debian or Ubuntu it is installed automatically.';

/** Finds or starts a Redis; the error says what was tried and what to do. */
export async function ensureRedis(
  log: (line: string) => void,
  options: RedisOptions = {},
): Promise<RedisAccess | { error: string }> {
  const { docker, ways = ['path', 'apt', 'container'] } = options;
  const given = process.env.REDIS_URL;
  if (given) return await useConfigured(given);

  const tried: string[] = [];
  const fromPath = () => (ways.includes('path') ? SERVERS.find(has) : undefined);
  if (!fromPath() && ways.includes('apt')) {
    const failure = install(log);
    if (failure) tried.push(failure);
  }
  const bridge = docker && (await bridgeAddress(docker));
  const beyond = bridge !== undefined && bridge !== 'host.docker.internal';
  const addresses = ['127.0.0.1', ...(beyond ? [bridge] : [])];
  const start = (how: string, launch: Launch) =>
    options.directory
      ? openKept(options.directory, { addresses, how, launch, bridge, log })
      : openPassing({ addresses, how, launch, bridge, log });
  const program = fromPath();
  if (program)
    return start(`a private ${program}`, (plan, lockFd) =>
      startServer(program, plan, options.directory, lockFd),
    );
  if (docker && ways.includes('container')) {
    const image = options.image ?? DEFAULT_REDIS_IMAGE;
    const found = await start('a private container of Redis', async (plan) => {
      const server = await startRedisContainer(docker, plan, { image, directory: options.directory, log });
      if ('error' in server || (await redisResponds(urlAt(plan), READY_MS))) return server;
      await server.stop();
      return { error: 'Its container does not answer.' };
    });
    if (!('error' in found)) return found;
    tried.push(found.error);
  } else tried.push('no Docker daemon answers to run it');
  return {
    error: `There is no Redis: neither redis-server nor valkey-server is on the PATH; ${tried.join('; ')}. ${HOW}`,
  };
}

type Launch = (plan: PrivateRedis, lockFd?: number) => Promise<Launched | { error: string }>;
interface Start {
  addresses: string[];
  how: string;
  launch: Launch;
  bridge: string | undefined;
  log: (line: string) => void;
}

/** A Redis that ends with its caller, and its data with it. */
async function openPassing(start: Start): Promise<RedisAccess | { error: string }> {
  const { addresses, how, launch, bridge } = start;
  const password = addresses.length > 1 ? newPassword() : undefined;
  const plan = { port: await freePort(0), addresses, password };
  const server = await launch(plan);
  if ('error' in server) return server;
  const stop = async () => {
    await server.stop();
    return true;
  };
  return { url: urlAt(plan), bodyUrl: bridge && urlAt(plan, bridge), how, stop };
}

/** The Redis of a directory, which others may share. */
async function openKept(
  directory: string,
  { how, bridge, ...start }: Start,
): Promise<RedisAccess | { error: string }> {
  const kept = await openKeptRedis({ directory, ...start });
  if ('error' in kept) return kept;
  const { plan, joined, usersFd } = kept;
  let ended: ReturnType<KeptRedis['stop']> | undefined;
  const stop = () => {
    ended ??= kept.stop();
    return ended;
  };
  return { url: urlAt(plan), bodyUrl: bridge && urlAt(plan, bridge), how, joined, usersFd, stop };
}

async function useConfigured(url: string): Promise<RedisAccess | { error: string }> {
  if (URL.canParse(url) && (await redisResponds(url, 3000)))
    return { url, bodyUrl: process.env.WORKER_REDIS_URL, how: 'REDIS_URL', stop: async () => false };
  const shown = redactUrl(url);
  return {
    error: `REDIS_URL is ${shown}, and no Redis answers there. Start it, or unset REDIS_URL for a private one.`,
  };
}

/** Installs it if apt and the rights are available; returns the reason if not. */
function install(log: (line: string) => void): string | undefined {
  if (!has('apt-get')) return 'there is no apt to install it';
  if (process.getuid?.() !== 0) return 'only root can install it with apt';
  log('Installing redis-server with apt …');
  return installWithApt(['redis-server'], log)?.replace(/\. Install Docker.*$/s, '');
}

/** The address by which containers reach this machine; `undefined` if the engine runs on another one. */
export async function bridgeAddress(docker: Docker): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'host.docker.internal';
  const { Gateway, Subnet } = (await docker.getNetwork('bridge').inspect()).IPAM?.Config?.[0] ?? {};
  // An engine that has just created its bridge reports only the subnet; the bridge has its first address.
  const address: string | undefined = Gateway ?? Subnet?.replace(/\.\d+\/\d+$/, '.1');
  // Tested by binding, because the system's list omits a bridge without containers.
  return address && (await freePort(0, address).catch(() => undefined)) ? address : undefined;
}

async function startServer(
  program: string,
  plan: PrivateRedis,
  directory: string | undefined,
  lockFd: number | undefined,
): Promise<Launched | { error: string }> {
  const data = directory ?? mkdtempSync(join(tmpdir(), 'worker-manager-redis-'));
  // In its own session, so that Ctrl-C ends its users before it. It inherits the lock of its directory.
  const stdio = ['pipe', 'pipe', 'ignore', ...(lockFd === undefined ? [] : [lockFd])] as const;
  const server = spawn(program, ['-'], { cwd: data, detached: true, stdio: [...stdio] });
  let said = '';
  server.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-2000);
  });
  server.on('error', (error) => {
    said = error.message;
  });
  server.stdin?.on('error', () => {});
  // Through stdin, because every user can read arguments.
  server.stdin?.end(configOf(plan, data));
  const endNow = () => server.kill('SIGKILL');
  // A server with a directory survives a crash of its caller; the next start uses it.
  if (!directory) process.once('exit', endNow);
  const stop = async () => {
    await end(server);
    process.off('exit', endNow);
    if (!directory) rmSync(data, { recursive: true, force: true });
  };
  const leave = () => {
    server.stdout?.destroy();
    server.unref();
  };
  if (await redisResponds(urlAt(plan), READY_MS, () => isOver(server))) return { stop, leave };
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
