/**
 * The Redis of a manager without REDIS_URL: a private one per cell, with its data in the manager's home.
 *
 * It listens on loopback, and on the address at which Docker's bodies reach this machine, and always requires its
 * random password. It runs as a process if the machine has a server, otherwise as a container. The manager owns
 * nothing of it but its use: see `kept-redis.ts`. Of the store, it uses only the connection; it must not import the manager.
 */
import { join } from 'node:path';
import Docker from 'dockerode';
import { errorMessage, Fault } from '../model/index.ts';
import { toConnection } from '../runtimes/docker/client.ts';
import { endUnusedRedis, type KeptEnd, type KeptRedis, openKeptRedis } from './kept-redis.ts';
import { type PrivateRedis, urlAt } from './redis-config.ts';
import { DEFAULT_REDIS_IMAGE, startRedisContainer } from './redis-container.ts';
import { isFree, redisResponds } from './redis-port.ts';
import { findRedisServer, launchRedisServer, READY_MS } from './redis-server.ts';

export interface RedisOfCell {
  /** The URL from this machine. It contains the password: never print it. */
  url: string;
  port: number;
  directory: string;
  /** What runs it, for people. */
  how: string;
  /** Another manager of the cell launched it. */
  joined: boolean;
  stop: KeptRedis['stop'];
}

export interface RedisOfCellOptions {
  home: string;
  cell: string;
  /** The host names by which bodies reach this machine; those that this machine does not have are left out. */
  bodyHosts: readonly string[];
  /** DOCKER_HOST, whose engine runs it if the machine has no server. */
  dockerHost: string;
  log: (line: string) => void;
}

/** An engine that does not answer within this time counts as absent. */
const PING_MS = 2000;
const HOW =
  'Install redis-server or valkey-server (Debian, Ubuntu: apt install redis-server; macOS: brew install redis), start Docker, or set REDIS_URL to a running Redis.';

const directoryOf = ({ home, cell }: { home: string; cell: string }) => join(home, `redis-${cell}`);

/** Joins the cell's private Redis, or launches it. Throws a Fault that says what is in the way and what to do. */
export async function openRedisOfCell(options: RedisOfCellOptions): Promise<RedisOfCell> {
  const { bodyHosts, log } = options;
  const directory = directoryOf(options);
  const addresses = ['127.0.0.1'];
  for (const host of new Set(bodyHosts))
    if (!addresses.includes(host) && /^[\d.]+$/.test(host) && (await isFree(0, host))) addresses.push(host);
  const way = await findWay(options, directory);
  const kept = await openKeptRedis({ directory, addresses, log, launch: way.launch });
  if ('error' in kept) throw new Fault('unavailable', kept.error);
  const { plan, joined, stop } = kept;
  return { url: urlAt(plan), port: plan.port, directory, how: way.how, joined, stop };
}

/** Ends the cell's private Redis if it runs and no manager uses it; its data stay. */
export const endRedisOfCell = (cell: { home: string; cell: string }): Promise<boolean> =>
  endUnusedRedis(directoryOf(cell));

interface Way {
  how: string;
  launch: Parameters<typeof openKeptRedis>[0]['launch'];
}

async function findWay({ dockerHost, log }: RedisOfCellOptions, directory: string): Promise<Way> {
  const found = findRedisServer();
  if ('program' in found) {
    const { program } = found;
    return { how: program, launch: (plan, lockFd) => launchRedisServer(program, plan, directory, lockFd) };
  }
  const refuse = (why: string) =>
    new Fault(
      'unavailable',
      `REDIS_URL is not set, and a private Redis cannot be started: ${found.error}; ${why}. ${HOW}`,
    );
  const engine = await pingEngine(dockerHost);
  if ('error' in engine) throw refuse(engine.error);
  const launch = async (plan: PrivateRedis) => {
    const server = await launchRedisContainer(engine.docker, plan, { directory, log });
    return 'error' in server ? { error: refuse(server.error).message } : server;
  };
  return { how: `a container of ${DEFAULT_REDIS_IMAGE}`, launch };
}

async function pingEngine(host: string): Promise<{ docker: Docker } | { error: string }> {
  try {
    await new Docker({ ...toConnection(host), timeout: PING_MS }).ping();
    return { docker: new Docker(toConnection(host)) };
  } catch (error) {
    return { error: `no Docker daemon answers to run it (${errorMessage(error)})` };
  }
}

/** Runs it as a container, and waits until it answers. */
export async function launchRedisContainer(
  docker: Docker,
  plan: PrivateRedis,
  options: { directory?: string | undefined; image?: string | undefined; log: (line: string) => void },
): Promise<Awaited<ReturnType<typeof startRedisContainer>>> {
  const { image = DEFAULT_REDIS_IMAGE, directory, log } = options;
  const server = await startRedisContainer(docker, plan, { image, directory, log });
  if ('error' in server || (await redisResponds(urlAt(plan), READY_MS))) return server;
  await server.stop();
  return { error: 'Its container does not answer' };
}

export type { KeptEnd };
