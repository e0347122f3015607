/**
 * Provides a Redis for the demo, the bench and the tests: the one in REDIS_URL, otherwise a private one that ends with
 * its caller, and its data with it. (A manager has one that stays: `src/private-redis/`.)
 *
 * It listens on loopback; if Docker bodies must reach it, also on the address of Docker's bridge, and then it requires a
 * random password. It is a server from the PATH, otherwise one that apt installs, otherwise a container.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { launchRedisContainer } from '../src/private-redis/index.ts';
import type { Launched } from '../src/private-redis/kept-redis.ts';
import { newPassword, type PrivateRedis, urlAt } from '../src/private-redis/redis-config.ts';
import { freePort, redisResponds } from '../src/private-redis/redis-port.ts';
import { findRedisServer, launchRedisServer } from '../src/private-redis/redis-server.ts';
import { redactUrl } from '../src/telemetry/redact.ts';
import { has, installWithApt } from './ensure-docker.ts';

export interface RedisAccess {
  /** The URL from this machine. It may contain a password: never print it. */
  url: string;
  /** The URL from a Docker body; `undefined` if the manager detects it. */
  bodyUrl: string | undefined;
  /** Where it comes from, for people. */
  how: string;
  /** Stops a private Redis and removes its files; does not stop any other. May be called twice. */
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** The engine whose containers must reach it, and which can run it if there is no other way. */
  docker?: Docker | undefined;
  /** Ways to get a private one, in the order in which they are tried. */
  ways?: ('path' | 'apt' | 'container')[];
  image?: string;
}

const HOW =
  'Set REDIS_URL to a running Redis, install redis-server or valkey-server on the PATH, or start Docker. As root on Debian or Ubuntu it is installed automatically.';

/** Finds or starts a Redis; the error says what was tried and what to do. */
export async function ensureRedis(
  log: (line: string) => void,
  { docker, ways = ['path', 'apt', 'container'], image }: RedisOptions = {},
): Promise<RedisAccess | { error: string }> {
  const configured = process.env.REDIS_URL;
  if (configured) return await useConfigured(configured);

  const tried: string[] = [];
  const find = () => (ways.includes('path') ? findRedisServer() : { error: 'no server is on the PATH' });
  if ('error' in find() && ways.includes('apt')) {
    const failure = installRedis(log);
    if (failure) tried.push(failure);
  }
  const bridge = docker && (await bridgeAddress(docker));
  const beyond = bridge !== undefined && bridge !== 'host.docker.internal';
  const addresses = ['127.0.0.1', ...(beyond ? [bridge] : [])];
  const found = find();
  if ('program' in found)
    return open(`a private ${found.program}`, { addresses, bridge }, (plan) =>
      launchPassing(found.program, plan),
    );
  if (docker && ways.includes('container')) {
    const started = await open('a private container of Redis', { addresses, bridge }, (plan) =>
      launchRedisContainer(docker, plan, { image, log }),
    );
    if (!('error' in started)) return started;
    tried.push(started.error);
  } else tried.push('no Docker daemon answers to run it');
  return { error: `No Redis can be used: ${found.error}; ${tried.join('; ')}. ${HOW}` };
}

async function open(
  how: string,
  { addresses, bridge }: { addresses: string[]; bridge: string | undefined },
  launch: (plan: PrivateRedis) => Promise<Launched | { error: string }>,
): Promise<RedisAccess | { error: string }> {
  const password = addresses.length > 1 ? newPassword() : undefined;
  const plan = { port: await freePort(0), addresses, password };
  const server = await launch(plan);
  if ('error' in server) return server;
  return { url: urlAt(plan), bodyUrl: bridge && urlAt(plan, bridge), how, stop: () => server.stop() };
}

async function launchPassing(program: string, plan: PrivateRedis): Promise<Launched | { error: string }> {
  const data = mkdtempSync(join(tmpdir(), 'worker-manager-redis-'));
  const clear = () => rmSync(data, { recursive: true, force: true });
  const server = await launchRedisServer(program, plan, data);
  if ('error' in server) {
    clear();
    return { error: `${server.error}. ${HOW}` };
  }
  process.once('exit', server.kill);
  const stop = async () => {
    await server.stop();
    process.off('exit', server.kill);
    clear();
  };
  return { stop, leave: () => {} };
}

async function useConfigured(url: string): Promise<RedisAccess | { error: string }> {
  if (URL.canParse(url) && (await redisResponds(url, 3000)))
    return { url, bodyUrl: process.env.WORKER_REDIS_URL, how: 'REDIS_URL', stop: async () => {} };
  const shown = redactUrl(url);
  return {
    error: `REDIS_URL is ${shown}, and no Redis answers there. Start it, or unset REDIS_URL for a private one.`,
  };
}

/** Installs it if apt and the rights are available; returns the reason if not. */
export function installRedis(log: (line: string) => void): string | undefined {
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
