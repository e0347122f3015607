/** What a new leader found: counted once, over the first reconcile of each worker that existed before its term. */
import type { Logger } from 'pino';
import { type Decision, formatInstant, type LifecycleEvent, type Observation } from '../model/index.ts';

export type AdoptionResult = 'adopted' | 'restarted' | 'expired' | 'left_alone';

export class Adoption {
  readonly #waiting: Set<string>;
  readonly #counts: Record<AdoptionResult, number> = { adopted: 0, restarted: 0, expired: 0, left_alone: 0 };
  readonly #log: Logger;
  readonly #adopted: (id: string, event: LifecycleEvent) => void;
  readonly #done: () => void;

  /** `done` is called when each of them has been reconciled. */
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
    this.#reportWhenDone();
  }

  /** Called with each decision of the term; only the first about each worker counts. */
  note(observation: Observation, decision: Decision): void {
    if (!this.#waiting.delete(observation.worker_id)) return;
    const found = classifyAdoption(observation, decision);
    if (found) this.#counts[found] += 1;
    if (found === 'adopted') {
      const { status, phase, reason, incarnation } = decision.status;
      const message = 'The manager was restarted and adopted this body.';
      const event = { status, phase, reason, message, incarnation, actions: [] };
      this.#adopted(observation.worker_id, {
        timestamp: formatInstant(observation.now),
        type: 'adopted',
        ...event,
      });
    }
    this.#reportWhenDone();
  }

  /** It was deleted or cannot be read, so there is nothing to decide. The others do not wait for it. */
  skip(id: string): void {
    if (this.#waiting.delete(id)) this.#reportWhenDone();
  }

  #reportWhenDone(): void {
    if (this.#waiting.size > 0) return;
    this.#log.info(this.#counts, 'recovered');
    this.#done();
  }
}

function classifyAdoption({ actual, status }: Observation, decision: Decision): AdoptionResult | undefined {
  if (actual.kind === 'unknown' || actual.kind === 'ambiguous') return 'left_alone';
  if (decision.status.reason === 'Expired' && status?.reason !== 'Expired') return 'expired';
  if (status && decision.intents.some(({ type }) => type === 'create')) return 'restarted';
  if (decision.rule === 'ended, to restart') return 'restarted';
  const alive = actual.kind === 'present' && actual.body.state === 'running';
  return alive && !decision.intents.some(({ type }) => type === 'remove') ? 'adopted' : undefined;
}
