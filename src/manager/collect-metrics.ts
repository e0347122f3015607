/** The metrics that are computed for each scrape, because that is cheaper than to maintain them. */
import type { Term } from '../leader/term.ts';
import type { RuntimeName } from '../model/index.ts';
import type { Link } from '../store/index.ts';
import { readRedisMemory } from '../store/index.ts';
import { lastKnown } from '../telemetry/last-known.ts';
import type { HazardWatch } from './hazard-watch.ts';
import type { ServeOptions } from './options.ts';
import type { PoolServices } from './pool-service.ts';

interface CollectDeps {
  redis: Link;
  /** The current term; `undefined` if this manager does not lead. */
  term: () => Term | undefined;
  pools: Pick<PoolServices, 'scrape'>;
  hazards: Pick<HazardWatch, 'refresh'>;
  /** When a runtime last came up; 0 if it never responded. */
  upSince: (runtime: RuntimeName) => number;
  now: () => number;
}

/** A leader without a full list for this time is stuck: several lists failed. */
export const getLoopLimitSeconds = ({ resyncSeconds }: Pick<ServeOptions['settings'], 'resyncSeconds'>) =>
  3 * resyncSeconds + 60;

/** Collects them before each scrape, which never waits for Redis or an engine that hangs. */
export function collectMetrics(
  {
    metrics,
    imageDisk,
    runtimes,
    settings,
  }: Pick<ServeOptions, 'metrics' | 'imageDisk' | 'runtimes' | 'settings'>,
  { redis, term, pools, hazards, upSince, now }: CollectDeps,
): void {
  for (const { name: runtime } of runtimes) metrics.spawnDuration.expose({ phase: 'ready', runtime });
  const readMemory = lastKnown(() => readRedisMemory(redis));
  const readDisk = lastKnown(() => imageDisk());
  let policy: string | undefined;

  async function collectRedis(): Promise<void> {
    const memory = await readMemory(undefined);
    metrics.redisMemory.reset();
    metrics.redisEvicted.reset();
    if (!memory) return;
    const { used, limit, evicted } = memory;
    if (used !== undefined) metrics.redisMemory.set(used, { kind: 'used' });
    if (limit) metrics.redisMemory.set(limit, { kind: 'limit' });
    if (evicted !== undefined) metrics.redisEvicted.set(evicted);
    // CONFIG SET changes it without a new connection.
    if (policy !== undefined && policy !== `${memory.policy} ${limit}`) hazards.refresh();
    policy = `${memory.policy} ${limit}`;
  }

  async function collectDisk(): Promise<void> {
    const disk = await readDisk(undefined);
    metrics.imageDisk.reset();
    if (disk?.free === undefined) return;
    metrics.imageDisk.set(disk.free, { kind: 'free' });
    if (disk.watermark !== undefined) metrics.imageDisk.set(disk.watermark, { kind: 'watermark' });
  }

  /** With `auto`, Docker may be missing unless a worker needs it. */
  function collectExpected(leading: Term | undefined): void {
    for (const { name: runtime } of runtimes) {
      const isExpected =
        settings.runtime === runtime ||
        upSince(runtime) > 0 ||
        (leading?.loop.lastSeen.livingOn(runtime).length ?? 0) > 0;
      metrics.runtimeExpected.set(isExpected ? 1 : 0, { runtime });
    }
  }

  function collectWorkers(leading: Term | undefined): void {
    metrics.workqueueDepth.set(leading?.loop.queue.length ?? 0);
    metrics.workqueueOldest.set(leading?.loop.queue.oldestSeconds() ?? 0);
    metrics.loopQuietLimit.set(getLoopLimitSeconds(settings));
    metrics.loopQuiet.set(leading?.quietSeconds() ?? 0);
    const counts = leading?.loop.lastSeen.count();
    for (const metric of [
      metrics.workers,
      metrics.workersByReason,
      metrics.oldestStart,
      metrics.queuedWorkers,
    ])
      metric.reset();
    for (const { count, ...kind } of counts?.kinds ?? []) metrics.workers.set(count, kind);
    for (const { count, ...of } of counts?.reasons ?? []) metrics.workersByReason.set(count, of);
    const at = now();
    for (const [phase, since] of counts?.starting_since ?? [])
      metrics.oldestStart.set(Math.max(0, at - since) / 1000, { phase });
    metrics.crashLooping.set(counts?.crash_looping ?? 0);
    metrics.desiredWorkers.set(counts?.desired ?? 0);
    for (const [runtime, count] of leading?.queued ?? []) metrics.queuedWorkers.set(count, { runtime });
  }

  metrics.beforeScrape(async () => {
    const leading = term();
    collectWorkers(leading);
    collectExpected(leading);
    await Promise.all([collectRedis(), collectDisk(), pools.scrape(leading?.pools, leading?.usage ?? [])]);
  });
}
