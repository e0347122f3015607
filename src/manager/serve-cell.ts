/**
 * What `wm serve` does around a manager: it checks the port before anything is started, provides the private Redis of
 * the cell if there is no REDIS_URL, and reports at the end what keeps running and how to get back to it.
 */
import { contextPath, readContextFile } from '../config/context-file.ts';
import type { Settings } from '../config/settings.ts';
import { listen } from '../http/listener/listen.ts';
import { Fault, toRuntimeNames } from '../model/index.ts';
import { openRedisOfCell, type RedisOfCell } from '../private-redis/index.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { checkRedisAccess } from '../store/checks/check-access.ts';
import { formatOpenedRedis, formatRemaining, toWmCommand } from './leftover-text.ts';

export interface ServeCellOptions {
  settings: Settings;
  /** Whether REDIS_URL is set. */
  hasRedis: boolean;
  /** The variables with which the user calls the command line. */
  env: Parameters<typeof toWmCommand>[0];
  runtimes: (settings: Settings) => {
    runtimes: Runtime[];
    bodyRedisUrl: (runtime: Runtime['name']) => Promise<string>;
  };
  /** Prints a line for people. */
  note: (line: string) => void;
}

/** Seconds for an engine to list its bodies, or to report its address. */
const CALL_SECONDS = 5;

/** Runs the manager with the settings that it gets here. Throws a Fault if the port or Redis cannot be used. */
export async function serveCell(
  options: ServeCellOptions,
  run: (settings: Settings) => Promise<void>,
): Promise<void> {
  const { hasRedis, note } = options;
  const command = toWmCommand(options.env);
  const settings = { ...options.settings };
  await checkPort(settings);
  if (hasRedis) await checkRedisAccess(settings.redisUrl);
  const redis = hasRedis ? undefined : await openRedis(options);
  if (redis) {
    settings.redisUrl = redis.url;
    note(formatOpenedRedis(redis, command));
  }
  try {
    await run(settings);
  } finally {
    const workers = await countWorkers(options);
    // Workers report to their Redis, and read their input from it.
    const end = await redis?.stop(workers > 0);
    const text = formatRemaining({ workers, redis: redis && end && { port: redis.port, end }, command });
    if (text) note(text);
  }
}

/** A manager without an HTTP port would exit immediately, and stop what it had started. */
export async function checkPort(settings: Settings): Promise<void> {
  const { httpHost: host, httpPort: port } = settings;
  const names = { host: 'HTTP_HOST', port: 'HTTP_PORT' };
  try {
    const server = await listen({ host, port, names, routes: [], log: { error: () => {} } });
    await server.close();
  } catch (error) {
    const url = readContextFile(contextPath(settings))?.url;
    const isOurs = url !== undefined && port !== 0 && Number(new URL(url).port) === port;
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (!isOurs || code !== 'EADDRINUSE') throw error;
    throw new Fault(
      'unavailable',
      `A manager of the cell ${settings.cell} already runs at ${url}. For a second one, which stands by, set HTTP_PORT to another port, or to 0 for any free port.`,
      { cause: error },
    );
  }
}

/** It also listens where bodies with an address of their own reach this machine. */
async function openRedis({ settings, runtimes, note }: ServeCellOptions): Promise<RedisOfCell> {
  const { home, cell, dockerHost } = settings;
  const near = { ...settings, redisUrl: 'redis://127.0.0.1', workerRedisUrl: undefined };
  const open = runtimes({ ...near, dockerCallSeconds: CALL_SECONDS });
  try {
    const urls = toRuntimeNames(settings.runtime).map((name) =>
      open.bodyRedisUrl(name).catch(() => near.redisUrl),
    );
    const bodyHosts = (await Promise.all(urls)).map((url) => new URL(url).hostname);
    return await openRedisOfCell({ home, cell, dockerHost, bodyHosts, log: note });
  } finally {
    await Promise.all(open.runtimes.map((runtime) => runtime.close()));
  }
}

/** The bodies of this cell that run; a runtime that does not answer counts as having none. */
async function countWorkers({ settings, runtimes }: ServeCellOptions): Promise<number> {
  const open = runtimes({ ...settings, dockerCallSeconds: CALL_SECONDS }).runtimes;
  const lists = await Promise.all(open.map((runtime) => runtime.list().catch(() => [])));
  await Promise.all(open.map((runtime) => runtime.close()));
  return lists.flat().filter(({ state }) => state === 'running').length;
}
