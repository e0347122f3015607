/**
 * The manager's process: it acquires the lease, leads while it has it, reports its health and shuts down. Must not read
 * the environment: main.ts passes everything.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { createHealthReport } from '../http/listener/health.ts';
import { startSchedule } from '../images/schedule.ts';
import {
  connectBlocking,
  connectCommands,
  Findings,
  ImageUsage,
  Store,
  watchSignals,
} from '../store/index.ts';
import { openTasks } from '../tasks/index.ts';
import { startWatchdog } from '../watchdog/index.ts';
import { startCanary } from './canary.ts';
import { closeInOrder } from './close-in-order.ts';
import { collectMetrics, getLoopLimitSeconds } from './collect-metrics.ts';
import { watchFormat } from './format-watch.ts';
import { watchHazards } from './hazard-watch.ts';
import { Leadership } from './leadership.ts';
import { openHttpApi } from './open-api.ts';
import { openClock } from './open-clock.ts';
import { openRuntimes } from './open-runtimes.ts';
import type { ServeOptions } from './options.ts';
import { openPools } from './pool-service.ts';
import { stopDirectWorkers } from './stop-direct-workers.ts';
import { openTaskService } from './task-service.ts';
import { createTermOptions } from './term-options.ts';
import { openWebhooks } from './webhooks.ts';

/** An unavailable runtime is checked again after this time. */
const PROBE_MS = 2000;
/** During a shutdown the lease is given back after this time at the latest, so that another manager can lead. */
const RELEASE_MS = 500;

/** Runs the manager until the signal fires. Throws only if it cannot start, for example if its port is taken. */
export async function serve(options: ServeOptions): Promise<void> {
  const { settings, metrics, log, signal } = options;
  const redis = connectCommands(settings.redisUrl);
  const listener = connectBlocking(settings.redisUrl);
  const store = new Store(redis, settings.cell);
  const clock = openClock(store, log);
  const tasks = openTasks(settings);
  const pools = openPools({ redis, settings, workers: store, tasks, metrics, log });
  const link = { ok: false, message: 'not connected yet' };
  const format = watchFormat(log);
  let reported: boolean | undefined;
  const setLink = (ok: boolean, message: string) => {
    if (ok !== reported)
      log[ok ? 'info' : 'warn'](
        { why: ok ? undefined : message },
        ok ? 'Redis connection established' : 'Redis connection lost',
      );
    reported = ok;
    Object.assign(link, { ok, message });
    metrics.redisUp.set(ok ? 1 : 0);
    // During shutdown a manager does not wait for an unavailable Redis: the next manager observes what was not
    // recorded.
    if (!ok && signal.aborted) redis.disconnect();
  };
  // ioredis reconnects itself; without a listener an error would end the process. The watchdog reports the
  // connection.
  redis.on('error', () => {});
  void redis.connect().catch(() => {});
  listener.on('error', () => {});

  const images = options.images?.(() => leadership.term?.imagesChanged(), clock.now);
  const imageUnavailableReason = options.imageUnavailableReason(images);
  const usage = new ImageUsage(redis);
  const collector = options.collector?.(redis, () => images?.busy ?? false);
  const findings = new Findings(redis, store.keys.findings, { log, now: clock.now });
  const webhooks = openWebhooks(options, { redis, keys: store.keys, now: clock.now });
  const hazards = watchHazards({ redis, metrics, log, strict: settings.redisStrict });
  const { runtimes, ...open } = openRuntimes(options, { redis, store, now: clock.now }, (name) =>
    leadership.term?.runtimeChanged(name),
  );

  const termOptions = () => ({
    ...createTermOptions(options, {
      store,
      runtimes,
      clock,
      findings,
      pools: pools.ports,
      images,
      usage,
      ownership: open.ownership,
      bodyRedisUrl: open.bodyRedisUrl,
      imageUnavailableReason,
      ...{ webhooks, tasks, checkpoints: api.checkpoints, mayAct: () => watchdog.lease.held() },
    }),
    directCreates: api.directCreates,
  });

  const leadership: Leadership = new Leadership({
    redis,
    redisUrl: settings.redisUrl,
    keys: store.keys,
    leaseSeconds: settings.leaseSeconds,
    lease: () => watchdog.lease,
    termOptions,
    prepare: () => clock.compare(),
    startSchedule: () =>
      collector && startSchedule({ cron: settings.imageGcCron, collector, usage, metrics, log }),
    began: () => watchdog.publish(),
    log,
  });
  const getTerm = () => leadership.term;
  collectMetrics(options, {
    redis,
    term: getTerm,
    pools,
    hazards,
    upSince: (name) => runtimes.upSince(name),
    now: clock.now,
  });
  const health = () => {
    const states = runtimes.states.map(({ name, info, error }) => {
      return [name, { ok: !error, message: error ?? info?.version ?? '' }] as const;
    });
    return createHealthReport({
      redis: link,
      findings: findings.recent(),
      hazards: hazards.report(),
      newerFormat: format.newer,
      runtimes: Object.fromEntries(states),
      leading: getTerm() !== undefined,
      heldBack: getTerm()?.heldBack ?? 0,
      loopQuietSeconds: getTerm()?.quietSeconds() ?? 0,
      loopStuckSeconds: getLoopLimitSeconds(settings),
    });
  };

  const api = await openHttpApi(options, {
    redis,
    store,
    runtimes,
    images,
    collector,
    pools,
    tasks,
    taskService: openTaskService({ redis, cell: settings.cell, tasks }),
    metrics,
    writesRefused: () => format.refusal,
    now: clock.now,
  });
  const watchdog = await startWatchdog({
    redisUrl: settings.redisUrl,
    cell: settings.cell,
    apiSocket: api.socketPath,
    health,
    metrics,
    log,
    host: settings.httpHost,
    port: settings.httpPort,
    allowedHosts: settings.httpAllowedHosts,
    token: settings.apiToken,
    owner: `${hostname()}-${process.pid}-${randomUUID()}`,
    leaseMs: settings.leaseSeconds * 1000,
    onAcquired: (epoch) => {
      log.info({ epoch }, 'leading');
      metrics.leader.set(1);
      options.context?.leading();
      leadership.begin(epoch);
    },
    onLost: (reason) => {
      log.warn({ why: reason }, 'standby');
      metrics.leader.set(0);
      leadership.end();
    },
    onFormat: format.found,
    onLink: setLink,
  }).catch(async (error) => {
    await api.close();
    throw error;
  });
  const stopCanary = startCanary({
    seconds: settings.canarySeconds,
    runtimes: () => options.runtimes.map(({ name }) => name).filter((name) => runtimes.upSince(name) > 0),
    workers: api.workers,
    doors: api.doors,
    leads: () => getTerm() !== undefined && watchdog.lease.held(),
    metrics,
    log,
  });
  const prober = setInterval(() => {
    void clock.compare();
    if (open.incomplete) void open.probe();
  }, PROBE_MS);
  try {
    log.info({ url: watchdog.url, cell: settings.cell }, 'manager started');
    options.context?.listening(watchdog.url);
    await open.probe();
    void watchSignals(
      listener,
      store.keys,
      (id) => getTerm()?.enqueue(id),
      () => watchdog.lease.tryNow(),
    ).catch(() => {});
    const over = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
    await Promise.race([hazards.mayLead(signal), watchdog.failed]);
    if (!signal.aborted) watchdog.lease.start();
    await Promise.race([over, watchdog.failed]);
    if (!link.ok) redis.disconnect();
    log.info(`shutting down; ${options.cleanup ? 'stopping direct workers' : 'workers keep running'}`);
  } finally {
    clearInterval(prober);
    await stopCanary();
    if (options.cleanup)
      await stopDirectWorkers(open.ours, { log, store, term: getTerm(), leads: watchdog.lease.held() });
    // With `cleanup`, the ends of the direct bodies are recorded by now.
    leadership.leave();
    // Actions that are under way end within this time, or are fenced like those of a lease that has expired.
    await Promise.race([leadership.ended, delay(RELEASE_MS, undefined, { ref: false })]);
    if (link.ok) await watchdog.lease.release();
    await leadership.ended;
    const parts = {
      watchdog: () => watchdog.close(),
      api: () => api.close(),
      images: () => images?.close(),
      collector: () => collector?.close(),
      runtimes: () => runtimes.close(),
      tasks: () => tasks.close(),
    };
    await closeInOrder(parts, log);
    redis.disconnect();
    listener.disconnect();
  }
}
