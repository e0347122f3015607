/** What this manager reports and does about a Redis that may lose data. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { errorMessage, Fault } from '../model/index.ts';
import { findHazards, type Hazard, type Link, readRedisFacts } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** The settings of an available Redis can be read again immediately. */
const AGAIN_MS = 500;

export interface HazardWatch {
  /**
   * Resolves when the manager may lead. With REDIS_STRICT it waits for Redis, and throws a Fault if there is a hazard.
   */
  mayLead(signal: AbortSignal): Promise<void>;
  /** Reads the settings of Redis again soon. */
  refresh(): void;
  /** The details for `/readyz`; `undefined` if there are none. `refused`: it must not lead. */
  report(): { message: string; refused: boolean } | undefined;
}

export function watchHazards(options: {
  redis: Link;
  metrics: Pick<Metrics, 'redisHazard'>;
  log: Logger;
  strict: boolean;
}): HazardWatch {
  const { redis, metrics, log, strict } = options;
  let hazards: Hazard[] = [];
  let lastMessage = '';
  const present = () => hazards.filter((one) => one.present === 'yes');
  const sentences = (some: Hazard[]) => some.flatMap(({ message }) => message ?? []).join(' ');

  async function look(): Promise<boolean> {
    try {
      hazards = findHazards(await readRedisFacts(redis));
    } catch (error) {
      log.debug({ why: errorMessage(error) }, 'failed to read the settings of Redis');
      return false;
    }
    for (const { name, present: is } of hazards)
      metrics.redisHazard.set(is === 'yes' ? 1 : 0, { hazard: name });
    const text = sentences(hazards);
    if (text !== lastMessage && text !== '') log.warn({ what: text }, 'this Redis may lose data');
    lastMessage = text;
    return true;
  }
  // A new connection may lead to another server or another configuration.
  redis.on('ready', () => void look());

  return {
    async mayLead(signal) {
      if (!strict) return;
      while (!(await look()) && !signal.aborted) await delay(AGAIN_MS, undefined, { signal }).catch(() => {});
      const found = present();
      if (found.length > 0) throw new Fault('unavailable', `REDIS_STRICT is true. ${sentences(found)}`);
    },
    refresh: () => void look(),
    report() {
      const message = sentences(hazards);
      return message === '' ? undefined : { message, refused: strict && present().length > 0 };
    },
  };
}
