/** What a new leader found: counted once over the first pass of each worker that was there before it. */
import type { Logger } from 'pino';
import { type Decision, instant, type LifecycleEvent, type Observation } from '../model/index.ts';

export type Found = 'adopted' | 'restarted' | 'expired' | 'left_alone';

export class Adoption {
  readonly #waiting: Set<string>;
  readonly #counts: Record<Found, number> = { adopted: 0, restarted: 0, expired: 0, left_alone: 0 };
  readonly #log: Logger;
  readonly #adopted: (id: string, event: LifecycleEvent) => void;
  readonly #done: () => void;

  /** `done` is called when each of them has been looked at. */
  constructor(
    ids: string[],
    log: Logger,
    adopted: (id: string, event: LifecycleEvent) => void,
    done: () => void = () => {},
  ) {
    this.#waiting = new Set(ids);
    this.#log = log;
    this.#adopted = adopted;
    this.#done = done;
    this.#tellWhenDone();
  }

  /** Called with each decision of the term; only the first about each worker counts. */
  note(seen: Observation, decision: Decision): void {
    if (!this.#waiting.delete(seen.worker_id)) return;
    const found = whatWasFound(seen, decision);
    if (found) this.#counts[found] += 1;
    if (found === 'adopted') {
      const { status, phase, reason, incarnation } = decision.status;
      const message = 'The manager was restarted and adopted this body.';
      const told = { status, phase, reason, message, incarnation, actions: [] };
      this.#adopted(seen.worker_id, { timestamp: instant(seen.now), type: 'adopted', ...told });
    }
    this.#tellWhenDone();
  }

  /** There is nothing to decide about it: it is gone, or it cannot be read. The others do not wait for it. */
  skip(id: string): void {
    if (this.#waiting.delete(id)) this.#tellWhenDone();
  }

  #tellWhenDone(): void {
    if (this.#waiting.size > 0) return;
    this.#log.info(this.#counts, 'recovered');
    this.#done();
  }
}

function whatWasFound({ actual, status }: Observation, decision: Decision): Found | undefined {
  if (actual.kind === 'unknown' || actual.kind === 'ambiguous') return 'left_alone';
  if (decision.status.reason === 'Expired' && status?.reason !== 'Expired') return 'expired';
  if (status && decision.intents.some(({ type }) => type === 'create')) return 'restarted';
  if (decision.rule === 'ended, to restart') return 'restarted';
  const alive = actual.kind === 'present' && actual.body.state === 'running';
  return alive && !decision.intents.some(({ type }) => type === 'remove') ? 'adopted' : undefined;
}
