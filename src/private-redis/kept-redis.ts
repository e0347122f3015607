/**
 * The private Redis of a cell, whose data, port and password stay in a directory from one start to the next.
 *
 * Invariants: one server for one directory. The server holds the lock `server` in it as long as it lives, and each
 * manager holds the lock `users`. So a second manager finds the server that runs and joins it, in whatever order they
 * start and whichever of them was killed. The port file changes only under the lock `server`, when no server lives. A
 * server that ends while a manager uses it is launched again, on the same port.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { askRedis } from './ask-redis.ts';
import { type FileLock, lockFile } from './file-lock.ts';
import { newPassword, type PrivateRedis } from './redis-config.ts';
import { prepareDirectory, readKept, readPort, refusal, writeKept } from './redis-directory.ts';
import { choosePort, isFree } from './redis-port.ts';
import { watchServer } from './watch-server.ts';

/** A server that a manager has launched. */
export interface Launched {
  stop(): Promise<void>;
  /** Lets it run without its launcher. */
  leave(): void;
}

/** The state of the server after a manager left it. */
export type KeptEnd = 'stopped' | 'running' | 'shared';

export interface KeptRedis {
  plan: PrivateRedis;
  /** Another manager launched the server, and this one shares it. */
  joined: boolean;
  /**
   * Leaves the server, and ends it if no other manager uses it (then it is `shared`), except if it must be kept, for
   * workers that keep running.
   */
  stop(keep?: boolean): Promise<KeptEnd>;
}

export interface KeptRedisOptions {
  directory: string;
  /** What the server has to listen on, loopback first. */
  addresses: string[];
  launch: (plan: PrivateRedis, lockFd: number) => Promise<Launched | { error: string }>;
  log: (line: string) => void;
  /** How long another manager may take to launch its server, or to end it. */
  waitMs?: number;
}

/** This manager's use of a running server. */
interface Attached {
  plan: PrivateRedis;
  joined: boolean;
  end(): Promise<void>;
  leave(): void;
}

const WAIT_MS = 60_000;
const POLL_MS = 100;
const LATE_MS = 3000;
const STOP_MS = 10_000;
/** A process that has just ended may still have its port. */
const PORT_MS = 2000;

/** Joins the server of a directory, or launches it; the error says what is in the way. */
export async function openKeptRedis(options: KeptRedisOptions): Promise<KeptRedis | { error: string }> {
  const { waitMs = WAIT_MS, log } = options;
  const directory = prepareDirectory(options.directory);
  const users = await poll(waitMs, () => lockFile(join(directory, 'users'), 'shared'));
  if (!users) return { error: refusal(directory, 'is being stopped by another manager') };
  const late = setTimeout(() => log(`Waiting for the private Redis in ${directory} …`), LATE_MS);
  const attach = async (port?: number, signal?: AbortSignal) =>
    (await poll(waitMs, () => attachTo({ ...options, directory }, port), signal)) ?? {
      error: refusal(directory, 'does not answer'),
    };
  const first = await attach();
  clearTimeout(late);
  if ('error' in first) {
    users.release();
    return first;
  }
  let current: Attached = first;
  const { port } = first.plan;
  const watcher = watchServer(port, async (signal) => {
    const next = await attach(port, signal);
    if ('error' in next) return signal.aborted ? undefined : log(next.error);
    if (!next.joined) log(`The private Redis in ${directory} had ended, and is running again.`);
    current = next;
  });
  const stop = async (keep = false): Promise<KeptEnd> => {
    await watcher.stop();
    // The own lock goes first: of several managers that leave at the same moment, each would find the others still
    // there. The one that then gets the lock alone ends the server, and a start waits meanwhile.
    users.release();
    const alone = lockFile(join(directory, 'users'), 'exclusive');
    if (alone && !keep) await current.end();
    else current.leave();
    alone?.release();
    return !alone ? 'shared' : keep ? 'running' : 'stopped';
  };
  return { plan: first.plan, joined: first.joined, stop };
}

/** One try: `undefined` if another process is launching the server, or ending it. */
async function attachTo(
  options: KeptRedisOptions,
  port: number | undefined,
): Promise<Attached | { error: string } | undefined> {
  const { directory, addresses } = options;
  const lock = lockFile(join(directory, 'server'), 'exclusive');
  const plan = await runningAt(directory);
  if (!plan) return lock && launchKept(options, lock, port);
  lock?.release();
  return joinKept(directory, plan, addresses);
}

async function launchKept(
  { directory, addresses, launch, log }: KeptRedisOptions,
  lock: FileLock,
  mustBe: number | undefined,
): Promise<Attached | { error: string }> {
  try {
    // Bodies of the last manager still know this port and password, and come back to it.
    const last = mustBe ?? readPort(directory);
    const free = last && (await poll(PORT_MS, async () => (await isFree(last)) || undefined));
    if (last && !free && mustBe) return { error: refusal(directory, `needs port ${last}, which is taken`) };
    if (last && !free)
      log(`Port ${last} of the private Redis is used by another program, so it gets another one.`);
    const port = free && last ? last : await choosePort();
    const password = readKept(directory, 'password') ?? newPassword();
    writeKept(directory, 'password', password);
    writeKept(directory, 'port', String(port));
    const plan = { port, addresses, password };
    const server = await launch(plan, lock.fd);
    if ('error' in server) return server;
    return { plan, joined: false, end: () => server.stop(), leave: () => server.leave() };
  } finally {
    // From here on the server alone holds it: if it dies, another one is launched at once.
    lock.release();
  }
}

async function joinKept(
  directory: string,
  plan: PrivateRedis,
  addresses: string[],
): Promise<Attached | { error: string }> {
  const everywhere = plan.addresses.some((address) => ['*', '0.0.0.0'].includes(address));
  const missing = everywhere ? [] : addresses.filter((address) => !plan.addresses.includes(address));
  // A server that was launched while Docker was away does not listen on its bridge yet.
  const bind = [...plan.addresses, ...missing];
  if (
    missing.length > 0 &&
    (await askRedis(plan, (redis) => redis.config('SET', 'bind', bind.join(' ')))) !== 'OK'
  )
    return { error: refusal(directory, `cannot listen on ${missing.join(' and ')} as well`) };
  const end = () => stopKept(directory, plan);
  return { plan: { ...plan, addresses: bind }, joined: true, end, leave: () => {} };
}

async function stopKept(directory: string, plan: PrivateRedis): Promise<void> {
  await askRedis(plan, (redis) => redis.shutdown());
  (await poll(STOP_MS, () => lockFile(join(directory, 'server'), 'exclusive')))?.release();
}

/** Ends the server of a directory if it runs and no manager uses it; returns whether it did. */
export async function endUnusedRedis(directory: string): Promise<boolean> {
  if (readKept(directory, 'port') === undefined) return false;
  const alone = lockFile(join(directory, 'users'), 'exclusive');
  if (!alone) return false;
  try {
    const plan = await runningAt(directory);
    if (plan) await stopKept(directory, plan);
    return plan !== undefined;
  } finally {
    alone.release();
  }
}

/** The server of the directory if it answers: at the port, with the password, that are written there. */
async function runningAt(directory: string): Promise<PrivateRedis | undefined> {
  const port = readPort(directory);
  const password = readKept(directory, 'password');
  if (!port || !password) return undefined;
  const plan = { port, addresses: ['127.0.0.1'], password };
  // A server without a password would take any: that it asks for this one is what proves whose it is.
  const [own, bound] =
    (await askRedis(plan, async (redis) => [
      (await redis.config('GET', 'requirepass')) as string[],
      (await redis.config('GET', 'bind')) as string[],
    ])) ?? [];
  if (own?.[1] !== password) return undefined;
  return { ...plan, addresses: (bound?.[1] ?? '').split(' ').filter(Boolean) };
}

async function poll<T>(
  ms: number,
  look: () => T | undefined | Promise<T | undefined>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const until = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined || performance.now() >= until || signal?.aborted) return found;
    await delay(POLL_MS);
  }
}
