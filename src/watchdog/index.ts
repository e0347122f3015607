/**
 * The watchdog: a thread that renews the lease, owns the HTTP port and serves health and metrics, so that a main loop
 * that is blocked for a while (by a large input or garbage collection) does not lose its lease or fail probes.
 *
 * Invariants:
 * - Whether an action may start is read from shared memory at that moment: the main loop needs no message to detect
 *   that the lease is lost.
 * - A main loop that is hung for HANG_MS is reported by `/livez`, and its lease is released.
 * - If the watchdog ends, the manager exits (`failed`); nothing leads without it.
 *
 * Must not import the loop, the runtimes or the commands.
 */
import { Worker } from 'node:worker_threads';
import type { HealthReport } from '../http/listener/health.ts';
import { Fault } from '../model/values/fault.ts';
import type { Lease } from '../queue/lease.ts';
import { HANG_MS, TICK_MS } from './hang.ts';
import type { FromWatchdog, ToWatchdog, WatchdogData } from './messages.ts';
import { shareState } from './shared.ts';

/** Time for the thread to end before it is terminated: one call to Redis, and closing its server. */
const CLOSE_MS = 5000;

export interface WatchdogOptions
  extends Pick<
    WatchdogData,
    'redisUrl' | 'cell' | 'owner' | 'leaseMs' | 'host' | 'port' | 'allowedHosts' | 'token' | 'apiSocket'
  > {
  /** Time without a heartbeat after which the main loop is hung; HANG_MS by default. */
  hangMs?: number;
  /** The state of the components; requested every TICK_MS, and at each `publish`. */
  health: () => HealthReport;
  metrics: { text(): Promise<string>; contentType: string };
  onAcquired: (epoch: number) => void;
  /** Called once for each term that ended without `release`. */
  onLost: (reason: string) => void;
  /** The records have a newer format than this program's, so it cannot lead; `undefined`: no longer. */
  onFormat?: (newer: number | undefined) => void;
  /** Whether Redis answers the watchdog. */
  onLink: (ok: boolean, message: string) => void;
  log: { error(fields: object, message: string): void };
}

export interface Watchdog {
  /** Its URL, such as `http://127.0.0.1:8080`. */
  url: string;
  lease: Lease;
  /** Passes on changes of the health immediately. */
  publish(): void;
  /** Rejects when the thread has ended. */
  failed: Promise<never>;
  /** Releases the lease, closes the connections on the port, and ends the thread. */
  close(): Promise<void>;
}

/** Starts the thread; throws a Fault that names the setting to change if it cannot listen. */
export async function startWatchdog(options: WatchdogOptions): Promise<Watchdog> {
  const shared = shareState();
  const { health, metrics, log } = options;
  const { redisUrl, cell, owner, leaseMs, hangMs = HANG_MS } = options;
  const { host, port, allowedHosts, token, apiSocket } = options;
  const workerData: WatchdogData = {
    shared: shared.buffer,
    redisUrl,
    cell,
    owner,
    leaseMs,
    hangMs,
    host,
    port,
    allowedHosts,
    token,
    apiSocket,
    health: health(),
    contentType: metrics.contentType,
  };
  const thread = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData,
    name: 'watchdog',
    // With less, collecting the garbage of requests takes a quarter of its time. The heap grows only under load.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  const post = (message: ToWatchdog) => thread.postMessage(message);
  const listening = Promise.withResolvers<string>();
  const released = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  let term: number | undefined;
  let closing = false;

  const died = (why: unknown) => {
    shared.clearTerm();
    const error = new Error('The watchdog thread has ended.', { cause: why });
    listening.reject(error);
    released.resolve();
    ended.resolve();
    if (!closing) failure.reject(error);
  };
  thread.on('error', died);
  thread.on('exit', died);

  async function answerScrape(): Promise<void> {
    try {
      post({ type: 'metrics', text: await metrics.text() });
    } catch (err) {
      log.error({ err }, 'failed to collect metrics');
      post({ type: 'metrics', text: undefined });
    }
  }

  thread.on('message', (message: FromWatchdog) => {
    react(message);
    publish();
  });

  function react(message: FromWatchdog): void {
    if (message.type === 'listening') listening.resolve(message.url);
    else if (message.type === 'refused') listening.reject(new Fault(message.code, message.message));
    else if (message.type === 'link') options.onLink(message.ok, message.message);
    else if (message.type === 'error') log.error(message.fields, message.message);
    else if (message.type === 'format') options.onFormat?.(message.newer);
    else if (message.type === 'scrape') void answerScrape();
    else if (message.type === 'released') released.resolve();
    else if (message.type === 'acquired') {
      term = message.epoch;
      options.onAcquired(message.epoch);
    } else if (message.type === 'lost' && term !== undefined) {
      term = undefined;
      options.onLost(message.reason);
    }
  }

  let published = '';
  const publish = () => {
    const report = health();
    const text = JSON.stringify(report);
    if (text === published) return;
    published = text;
    post({ type: 'health', health: report });
  };
  const beat = setInterval(() => {
    shared.beat();
    publish();
  }, TICK_MS);

  async function close(): Promise<void> {
    closing = true;
    clearInterval(beat);
    post({ type: 'close' });
    const late = setTimeout(() => void thread.terminate(), CLOSE_MS);
    await ended.promise;
    clearTimeout(late);
  }

  const lease: Lease = {
    start: () => post({ type: 'start' }),
    tryNow: () => post({ type: 'try' }),
    held: () => term !== undefined && shared.mayAct(term),
    epoch: () => term,
    async release() {
      term = undefined;
      shared.clearTerm();
      post({ type: 'release' });
      await released.promise;
    },
  };
  try {
    const url = await listening.promise;
    return { url, lease, publish, failed: failure.promise, close };
  } catch (error) {
    await close();
    throw error;
  }
}
