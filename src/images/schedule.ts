/** Schedules the collection: at the times of IMAGE_GC_CRON, and soon after a start that has missed one. */
import type { Logger } from 'pino';
import { nextTime } from '../config/cron.ts';
import { errorMessage, formatSize } from '../model/index.ts';
import type { ImageUsage } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { totalBytes } from './collect.ts';
import type { Collection, Collector } from './gc.ts';

/** Maximum delay between clock checks: the clock may be changed, and Node's timers cannot wait for months. */
const COUNT_MS = 3_600_000;
/** Delay after a start or a failed collection: the engine or Redis may be unavailable for a while. */
const SOON_MS = 60_000;

export interface ScheduleOptions {
  /** IMAGE_GC_CRON. */
  cron: string;
  collector: Collector;
  usage: Pick<ImageUsage, 'collectedAt' | 'setCollectedAt'>;
  metrics: Pick<Metrics, 'images' | 'imageBytes' | 'imageGcRemoved'>;
  log: Pick<Logger, 'info' | 'warn'>;
  now?: () => number;
}

/**
 * Returns the time of the next collection: the first scheduled time after the last collection, even if it has
 * passed, but not before `earliest`. All times are in milliseconds since 1970. Pure.
 */
export function dueAt(cron: string, collectedAt: number, earliest: number): number {
  return Math.max(nextTime(cron, collectedAt) ?? Number.POSITIVE_INFINITY, earliest);
}

/**
 * Collects on schedule until stopped. Only the leader does. Stopping ends an active collection before its
 * next image.
 */
export function startSchedule(options: ScheduleOptions): { stop(): void } {
  const { cron, usage, log, now = Date.now } = options;
  let timer: NodeJS.Timeout | undefined;
  const stopping = new AbortController();
  let earliest = now() + SOON_MS;

  const wait = (ms: number) => {
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => void step(), ms);
    timer.unref();
  };

  /**
   * Time of the last collection. The first is counted from now, as it is after a clock that was ahead;
   * restarts keep it.
   */
  async function since(): Promise<number> {
    const last = await usage.collectedAt();
    if (last !== undefined && last <= now()) return last;
    await usage.setCollectedAt(now());
    return now();
  }

  async function step(): Promise<void> {
    let due = now() + SOON_MS;
    try {
      due = dueAt(cron, await since(), earliest);
      if (due <= now() && !stopping.signal.aborted) {
        await collectOnce(options, stopping.signal);
        await usage.setCollectedAt(now());
        due = dueAt(cron, now(), earliest);
      }
    } catch (error) {
      log.warn({ why: errorMessage(error) }, 'image garbage collection failed; retrying');
      earliest = now() + SOON_MS;
      due = earliest;
    }
    await count(options);
    wait(Math.min(Math.max(due - now(), 0), COUNT_MS));
  }

  void step();
  return {
    stop() {
      stopping.abort();
      clearTimeout(timer);
    },
  };
}

/** Counts images for the metrics, including those from before this start, even if none is due for removal. */
async function count({ collector, metrics }: ScheduleOptions): Promise<void> {
  // `runtime_up` already reports an unavailable engine.
  const images = await collector.list().catch(() => undefined);
  if (!images) return;
  metrics.images.set(images.length);
  metrics.imageBytes.set(totalBytes(images));
}

/** Runs one collection and reports it to the log and the metrics. */
async function collectOnce(
  { collector, metrics, log }: ScheduleOptions,
  signal: AbortSignal,
): Promise<Collection> {
  const done = await collector.collect({ signal });
  for (const { name, why } of done.removed) log.info({ image: name, why }, 'image removed');
  for (const { name, why } of done.skipped) log.info({ image: name, why }, 'image kept');
  metrics.imageGcRemoved.inc(done.removed.length);
  const { leftovers_removed: leftovers, images, freed_bytes, cache_freed_bytes } = done;
  const counts = { removed: done.removed.length, leftovers, images, freed_bytes, cache_freed_bytes };
  log.info(counts, `images collected: ${formatSize(freed_bytes + cache_freed_bytes)} freed`);
  return done;
}
