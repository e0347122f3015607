/**
 * The watchdog's thread: it renews the lease, owns the HTTP port and serves health and metrics, independent of the main
 * loop. `index.ts` starts it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createRequestForwarder, createUpgradeForwarder } from '../http/listener/forward.ts';
import { createHttpServer } from '../http/listener/server.ts';
import { errorMessage, Fault } from '../model/values/fault.ts';
import { steadyClock } from '../queue/clock.ts';
import { createLease } from '../queue/lease.ts';
import { connectCommands } from '../store/connect.ts';
import { getKeys } from '../store/keys.ts';
import { redisLeaseStore, watchedLeaseStore } from '../store/lease-store.ts';
import { createHangDetector, TICK_MS } from './hang.ts';
import { leaseWhileAlive } from './lease-while-alive.ts';
import type { FromWatchdog, ToWatchdog, WatchdogData } from './messages.ts';
import { createScrapes } from './scrapes.ts';
import { processMs, shareState } from './shared.ts';
import { createStreamServer } from './streams.ts';
import { watchRedis } from './watch-redis.ts';
import { watchedHealth } from './watched-health.ts';

if (!parentPort) throw new Error('This is the watchdog thread; it cannot be started directly.');
const port = parentPort;
const data = workerData as WatchdogData;
const post = (message: FromWatchdog) => port.postMessage(message);

const shared = shareState(data.shared);
const detector = createHangDetector({ beats: shared.beats, now: processMs, hangMs: data.hangMs });
const ticker = setInterval(detector.tick, TICK_MS);

let health = data.health;
let redisUp = false;
let unreachable: string | undefined;
const redis = connectCommands(data.redisUrl);
let reported = '';
const setLink = (ok: boolean, message: string) => {
  redisUp = ok;
  // The connection knows why Redis cannot be reached; a call only knows that it timed out.
  const why = ok ? message : (unreachable ?? message);
  if (reported === `${ok} ${why}`) return;
  reported = `${ok} ${why}`;
  post({ type: 'link', ok, message: why });
};
redis.on('error', (error) => {
  unreachable = errorMessage(error);
  setLink(false, unreachable);
});
redis.on('ready', () => {
  unreachable = undefined;
});

/**
 * Whether Redis answers and refuses the lease: a replica, or a user without the rights. A ping that is answered then
 * says nothing, and Redis would seem to come and go.
 */
let leaseFails = false;
const stopPings = watchRedis(
  () => redis.ping(),
  (ok, message) => {
    if (!ok || !leaseFails) setLink(ok, message);
  },
);
const reportLease = (ok: boolean, message: string) => {
  leaseFails = !ok;
  setLink(ok, message);
};
let newerFormat: number | undefined;
const foundFormat = (newer: number | undefined) => {
  if (newer === newerFormat) return;
  newerFormat = newer;
  post({ type: 'format', newer });
};
const store = watchedLeaseStore(redisLeaseStore(redis, getKeys(data.cell), foundFormat), reportLease);
const lease = createLease({
  store: leaseWhileAlive(store, detector.hung),
  owner: data.owner,
  ttlMs: data.leaseMs,
  clock: { monotonic: processMs, setTimer: steadyClock.setTimer },
  onExtended: shared.setTerm,
  onAcquired: (epoch) => post({ type: 'acquired', epoch }),
  onLost(reason) {
    shared.clearTerm();
    const hung = `the main loop has been blocked for ${Math.floor(detector.quietMs() / 1000)} s`;
    post({ type: 'lost', reason: detector.hung() ? hung : reason });
  },
  onError: (error) => reportLease(false, errorMessage(error)),
});

let refused = 0;
const scrapes = createScrapes({
  ask: () => post({ type: 'scrape' }),
  facts: () => ({
    redis_up: redisUp ? 1 : 0,
    loop_blocked_seconds: Math.floor(detector.quietMs() / 1000),
    http_refused_total: refused,
  }),
});

port.on('message', (message: ToWatchdog) => {
  if (message.type === 'start') lease.start();
  else if (message.type === 'try') lease.tryNow();
  else if (message.type === 'health') health = message.health;
  else if (message.type === 'metrics') scrapes.answered(message.text);
  else if (message.type === 'release') {
    shared.clearTerm();
    void lease.release().then(() => post({ type: 'released' }));
  } else void close();
});

const streams = createStreamServer(data.redisUrl, data.cell);

async function close(): Promise<void> {
  clearInterval(ticker);
  stopPings();
  shared.clearTerm();
  await lease.release();
  await server?.close();
  streams.close();
  redis.disconnect();
  port.close();
}

const server = await createHttpServer({
  host: data.host,
  port: data.port,
  allowedHosts: data.allowedHosts,
  token: data.token,
  health: () => watchedHealth(health, detector),
  metrics: { contentType: data.contentType, text: scrapes.text },
  forward: createRequestForwarder({
    socketPath: data.apiSocket,
    quietMs: detector.quietMs,
    sendStream: streams.send,
  }),
  onRefused: () => {
    refused += 1;
  },
  forwardUpgrade: createUpgradeForwarder({ socketPath: data.apiSocket, quietMs: detector.quietMs }),
  log: { error: (fields, message) => post({ type: 'error', message, fields }) },
}).catch((error: unknown) => {
  post({
    type: 'refused',
    code: error instanceof Fault ? error.code : 'internal',
    message: errorMessage(error),
  });
  return undefined;
});
if (server) post({ type: 'listening', url: server.url, port: server.port });
