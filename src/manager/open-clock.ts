import type { Logger } from 'pino';
import { SteadyWall } from '../queue/steady-wall.ts';
import type { Store } from '../store/index.ts';

export interface ManagerClock {
  /** Milliseconds since 1970, without jumps. */
  now: () => number;
  /** Compares the clocks of Redis and of this machine with it, and logs differences. Never throws. */
  compare: () => Promise<void>;
}

/** The time that the manager's decisions use; see `SteadyWall`. */
export function openClock(store: Pick<Store, 'time'>, log: Logger): ManagerClock {
  const clock = new SteadyWall();
  const seconds = (ms: number) => Math.round(ms / 1000);
  return {
    now: clock.now,
    async compare() {
      // An unavailable Redis is retried; until then the clock of this machine counts.
      const ahead = await clock.anchor(() => store.time()).catch(() => undefined);
      if (ahead !== undefined)
        log.warn(
          { ahead_seconds: seconds(ahead) },
          'clocks of this machine and of Redis differ; using the time of Redis',
        );
      const jump = clock.check();
      if (jump !== undefined)
        log.warn(
          { jump_seconds: seconds(jump) },
          'clock of this machine was changed; deadlines and backoffs are not affected',
        );
    },
  };
}
