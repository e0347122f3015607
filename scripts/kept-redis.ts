/**
 * The private Redis of a cell, whose data, port and password stay in a directory from one start to the next.
 *
 * What must always hold: one server for one directory. The server holds the lock `server` in it as long as it lives, and
 * each user (a start, and its manager) holds the lock `users`. So a second start finds the server that runs and joins it, in
 * whatever order they start and whichever of them was killed; the last user ends it. The port file changes only under the
 * lock `server`, when no server lives.
 */
import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type FileLock, lockFile } from './file-lock.ts';
import { newPassword, type PrivateRedis, urlAt } from './redis-config.ts';
import { freePort } from './redis-port.ts';

/** A server that a start has launched. */
export interface Launched {
  stop(): Promise<void>;
  /** Lets it run without its launcher. */
  leave(): void;
}

export interface KeptRedis {
  plan: PrivateRedis;
  /** Another start launched the server, and this one shares it. */
  joined: boolean;
  /** For the manager to inherit: it counts as a user even if its starter is killed. */
  usersFd: number;
  /** Leaves the server; ends it if no other process uses it. Returns whether it has ended. */
  stop(): Promise<boolean>;
}

interface Options {
  directory: string;
  /** What the server has to listen on, loopback first. */
  addresses: string[];
  launch: (plan: PrivateRedis, lockFd: number) => Promise<Launched | { error: string }>;
  log: (line: string) => void;
  /** How long another start may take to launch its server, or to end it. */
  waitMs?: number;
}

const WAIT_MS = 60_000;
const POLL_MS = 100;
const LATE_MS = 3000;
/** A server that is loading its data, or that hangs, does not answer within this. */
const ANSWER_MS = 2000;
const STOP_MS = 10_000;

/** Joins the server of a directory, or launches it; the error says what is in the way. */
export async function openKeptRedis(options: Options): Promise<KeptRedis | { error: string }> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  chmodSync(options.directory, 0o700);
  const directory = realpathSync(options.directory);
  const waitMs = options.waitMs ?? WAIT_MS;
  const users = await poll(waitMs, () => lockFile(join(directory, 'users'), 'shared'));
  if (!users) return { error: refusal(directory, 'is being stopped by another `npm start`') };
  const late = setTimeout(() => options.log(`Waiting for the private Redis in ${directory} …`), LATE_MS);
  const opened = await poll(waitMs, async () => {
    const lock = lockFile(join(directory, 'server'), 'exclusive');
    const plan = await runningAt(directory);
    if (!plan) return lock && launchKept({ ...options, directory }, users, lock);
    lock?.release();
    return joinKept(directory, plan, options.addresses, users);
  });
  clearTimeout(late);
  if (opened && !('error' in opened)) return opened;
  users.release();
  return opened ?? { error: refusal(directory, 'does not answer') };
}

async function launchKept(
  { directory, addresses, launch }: Options,
  users: FileLock,
  lock: FileLock,
): Promise<KeptRedis | { error: string }> {
  // Bodies of the last start still know this port and password, and come back to it.
  const port = await freePort(Number(read(directory, 'port') ?? 0));
  const password = read(directory, 'password') ?? newPassword();
  write(directory, 'password', password);
  write(directory, 'port', String(port));
  const plan = { port, addresses, password };
  const server = await launch(plan, lock.fd);
  // From here on the server alone holds it: if it dies, the next start launches another one at once.
  lock.release();
  if ('error' in server) return server;
  const stop = async () => {
    const last = await endIfUnused(directory, users, () => server.stop());
    if (!last) server.leave();
    return last;
  };
  return { plan, joined: false, usersFd: users.fd, stop };
}

async function joinKept(
  directory: string,
  plan: PrivateRedis,
  addresses: string[],
  users: FileLock,
): Promise<KeptRedis | { error: string }> {
  const everywhere = plan.addresses.some((address) => ['*', '0.0.0.0'].includes(address));
  const missing = everywhere ? [] : addresses.filter((address) => !plan.addresses.includes(address));
  // A server that was launched while Docker was away does not listen on its bridge yet.
  const bind = [...plan.addresses, ...missing];
  if (
    missing.length > 0 &&
    (await ask(plan, (redis) => redis.config('SET', 'bind', bind.join(' ')))) !== 'OK'
  )
    return { error: refusal(directory, `cannot listen on ${missing.join(' and ')} as well`) };
  const stop = () =>
    endIfUnused(directory, users, async () => {
      await ask(plan, (redis) => redis.shutdown());
      (await poll(STOP_MS, () => lockFile(join(directory, 'server'), 'exclusive')))?.release();
    });
  return { plan: { ...plan, addresses: bind }, joined: true, usersFd: users.fd, stop };
}

/**
 * Leaves the server, and ends it if no other process uses it. The own lock goes first: of several users that leave at the same moment,
 * each would find the others still there. The process that then gets the lock alone ends the server, and a start waits meanwhile.
 */
async function endIfUnused(directory: string, users: FileLock, end: () => Promise<void>): Promise<boolean> {
  users.release();
  const alone = lockFile(join(directory, 'users'), 'exclusive');
  if (!alone) return false;
  await end();
  alone.release();
  return true;
}

/** The server of the directory if it answers: at the port, with the password, that are written there. */
async function runningAt(directory: string): Promise<PrivateRedis | undefined> {
  const port = Number(read(directory, 'port'));
  const password = read(directory, 'password');
  if (!port || !password) return undefined;
  const plan = { port, addresses: ['127.0.0.1'], password };
  // A server without a password would take any: that it asks for this one is what proves whose it is.
  const [own, bound] =
    (await ask(plan, async (redis) => [
      (await redis.config('GET', 'requirepass')) as string[],
      (await redis.config('GET', 'bind')) as string[],
    ])) ?? [];
  if (own?.[1] !== password) return undefined;
  return { ...plan, addresses: (bound?.[1] ?? '').split(' ').filter(Boolean) };
}

/** What the server answers; `undefined` if it does not. */
async function ask<T>(plan: PrivateRedis, question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
  const options = { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 };
  const redis = new Redis(urlAt(plan), {
    ...options,
    connectTimeout: ANSWER_MS,
    commandTimeout: ANSWER_MS,
    enableReadyCheck: false,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await question(redis);
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}

async function poll<T>(
  ms: number,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  const until = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined || performance.now() >= until) return found;
    await delay(POLL_MS);
  }
}

function read(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, so that a start that joins never reads half of it. */
function write(directory: string, name: string, text: string): void {
  if (read(directory, name) === text) return;
  const draft = join(directory, `.${name}`);
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, join(directory, name));
}

function refusal(directory: string, what: string): string {
  const pid = read(directory, 'redis.pid');
  return `The private Redis in ${directory}${pid ? ` (process ${pid})` : ''} ${what}. Try again; if that does not help, end that process, or set REDIS_URL, or CELL for another cell.`;
}
