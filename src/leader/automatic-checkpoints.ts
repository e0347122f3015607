/**
 * Takes the checkpoints that a spec asks for, and sends checkpoints to the bodies that start from one.
 *
 * The loop over workers reports each observation, which costs it a few comparisons; everything else happens outside of it.
 * Correctness does not depend on an event: a body reports repeatedly what it waits for, and counts its turns. Nothing that
 * fails here affects a worker, except that a body which waits for its checkpoint continues to wait.
 */
import pLimit from 'p-limit';
import type { Checkpoints, TakeOptions } from '../checkpoints/checkpoints.ts';
import type { CheckpointStore } from '../checkpoints/store.ts';
import {
  CHECKPOINT_INTERVAL_SECONDS,
  type CheckpointEvent,
  type Decision,
  errorMessage,
  Fault,
  formatInstant,
  type LifecycleEvent,
  type Observation,
  type StatusRecord,
} from '../model/index.ts';
import type { Logger } from '../telemetry/log.ts';
import { AwaitedCheckpoints } from './awaited-checkpoints.ts';

/** Checkpoints that are taken, and bodies that are filled, at the same time. */
const SAVES = 2;
const FILLS = 4;
/** A body that sends or reads more slowly than this must not keep others waiting. Milliseconds. */
const LONGEST_MS = 900_000;

type DoorPlace = NonNullable<TakeOptions['place']>;

/** What is known of the body of one worker. */
interface WatchedBody {
  place: DoorPlace;
  status: StatusRecord;
  /** Turns whose files are saved, or are being saved. */
  turns: number | undefined;
  /** The next checkpoint by the clock. */
  timer?: NodeJS.Timeout | undefined;
  filling?: boolean;
  saving?: boolean;
  /** Wanted again while one is taken. */
  again?: { event: CheckpointEvent; turns: number | undefined } | undefined;
  offered?: boolean;
}

export interface AutomaticCheckpointsOptions {
  checkpoints: Pick<Checkpoints, 'take' | 'fill' | 'list'> & { store: Pick<CheckpointStore, 'hold'> };
  emit: (workerId: string, event: LifecycleEvent) => Promise<void>;
  mayAct: () => boolean;
  log: Logger;
  now: () => number;
}

export class AutomaticCheckpoints {
  readonly #options: AutomaticCheckpointsOptions;
  readonly #bodies = new Map<string, WatchedBody>();
  readonly #saves = pLimit(SAVES);
  readonly #fills = pLimit(FILLS);
  readonly #awaited: AwaitedCheckpoints;
  #ended = false;

  constructor(options: AutomaticCheckpointsOptions) {
    this.#options = options;
    this.#awaited = new AwaitedCheckpoints((id) => options.checkpoints.store.hold(id), options.log);
  }

  /** Called with each observation of a worker. */
  note(observation: Observation, { status }: Pick<Decision, 'status'>): void {
    const { worker_id: id, desired, actual, heartbeat } = observation;
    const { checkpoint, from_checkpoint, warm } = desired.spec;
    if (!checkpoint && from_checkpoint === undefined) return;
    const isStarting = status.status === 'STARTING' && !this.#ended;
    if (from_checkpoint !== undefined && isStarting) this.#awaited.keep(id, from_checkpoint);
    else this.#awaited.release(id);
    const body = actual.kind === 'present' && actual.body.state === 'running' ? actual.body : undefined;
    if (!body || warm) {
      if (actual.kind !== 'unknown') this.#drop(id);
      return;
    }
    const current = heartbeat?.incarnation === body.incarnation ? heartbeat : undefined;
    const place = { incarnation: body.incarnation, runtime: body.runtime, body_id: body.id };
    const known = this.#bodies.get(id);
    const isSame = known?.place.body_id === place.body_id;
    if (known && !isSame) this.#drop(id);
    const watched = isSame ? known : { place, status, turns: undefined };
    watched.status = status;
    this.#bodies.set(id, watched);
    if (current?.needs_checkpoint && from_checkpoint !== undefined) this.#fill(id, watched, from_checkpoint);
    if (!checkpoint) return;
    const { on, interval_seconds = CHECKPOINT_INTERVAL_SECONDS } = checkpoint;
    if (current?.offers_checkpoint && on.includes('stop')) {
      if (!watched.offered) this.#save(id, watched, 'stop', undefined);
      watched.offered = true;
      return;
    }
    const turns = current?.turns ?? 0;
    if (on.includes('turn') && turns > (watched.turns ?? 0)) this.#save(id, watched, 'turn', turns);
    if (on.includes('interval') && current?.phase === 'ready' && !watched.timer)
      watched.timer = setInterval(
        () => this.#save(id, watched, 'interval', undefined),
        interval_seconds * 1000,
      ).unref();
  }

  /** The worker does not exist any more. */
  forget(id: string): void {
    this.#awaited.release(id);
    this.#drop(id);
  }

  #drop(id: string): void {
    clearInterval(this.#bodies.get(id)?.timer);
    this.#bodies.delete(id);
  }

  /** Resolves when the signal fires; begins nothing from then on. */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.#ended = true;
    for (const id of [...this.#bodies.keys()]) this.#drop(id);
    this.#awaited.releaseAll();
  }

  #fill(id: string, watched: WatchedBody, checkpoint: string): void {
    if (watched.filling) return;
    watched.filling = true;
    void this.#fills(async () => {
      const { checkpoints, log } = this.#options;
      try {
        if (this.#mayAct(id, watched))
          await checkpoints.fill(id, watched.place, checkpoint, AbortSignal.timeout(LONGEST_MS));
      } catch (error) {
        // The body reports again that it waits, or why it has failed.
        log.warn({ worker_id: id, checkpoint, why: errorMessage(error) }, 'failed to restore a checkpoint');
      } finally {
        watched.filling = false;
      }
    });
  }

  #save(id: string, watched: WatchedBody, event: CheckpointEvent, turns: number | undefined): void {
    const first = watched.turns === undefined;
    if (turns !== undefined) watched.turns = turns;
    if (watched.saving) {
      // A copy at an interval adds nothing to one that is taken right after it.
      if (!watched.again || event !== 'interval') watched.again = { event, turns };
      return;
    }
    watched.saving = true;
    const save = async () => {
      // An earlier manager may have saved these turns.
      if (event === 'turn' && first && (await this.#isSaved(id, watched, turns ?? 0))) return;
      if (!this.#mayAct(id, watched)) return;
      const options: TakeOptions = {
        trigger: event,
        place: watched.place,
        turns: watched.turns,
        final: event === 'stop',
        waitSeconds: 10,
        signal: AbortSignal.timeout(LONGEST_MS),
      };
      await this.#options.checkpoints.take(id, options);
    };
    // The end of a body does not wait for other workers.
    void (event === 'stop' ? save() : this.#saves(save))
      .catch((error: unknown) => this.#report(id, watched, event, error))
      .finally(() => {
        watched.saving = false;
        const { again } = watched;
        watched.again = undefined;
        if (again && this.#bodies.get(id) === watched) this.#save(id, watched, again.event, again.turns);
      });
  }

  async #isSaved(id: string, { place }: WatchedBody, turns: number): Promise<boolean> {
    const all = await this.#options.checkpoints.list(id);
    return all.some((one) => one.incarnation === place.incarnation && (one.turns ?? -1) >= turns);
  }

  #mayAct(id: string, watched: WatchedBody): boolean {
    return !this.#ended && this.#options.mayAct() && this.#bodies.get(id) === watched;
  }

  async #report(id: string, watched: WatchedBody, event: CheckpointEvent, error: unknown): Promise<void> {
    const { log, emit, now } = this.#options;
    const isOver = error instanceof Fault && (error.code === 'not_found' || error.code === 'conflict');
    // Its body has ended meanwhile, which is not a failure of checkpoints, unless it has waited for this one.
    const isGone = isOver || (error instanceof Fault && error.reason === 'body_lost');
    log[isGone ? 'info' : 'warn']({ worker_id: id, event, why: errorMessage(error) }, 'checkpoint failed');
    if (isGone && event !== 'stop') return;
    const { status, phase, incarnation } = watched.status;
    const at = { timestamp: formatInstant(now()), type: 'checkpoint', status, phase, incarnation };
    const message = `The checkpoint at its ${event} failed. ${errorMessage(error)}`;
    await emit(id, { ...at, reason: 'CheckpointFailed', message, actions: [] }).catch((failure: unknown) =>
      log.warn({ worker_id: id, why: errorMessage(failure) }, 'failed to write history'),
    );
  }
}
