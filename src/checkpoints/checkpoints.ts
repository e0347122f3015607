/**
 * Takes checkpoints of workers and fills the workspaces of new ones with them. The manager only passes archives on and
 * never unpacks one: what a body has packed is unpacked in a body, as the agent's user.
 *
 * Invariants: one checkpoint of a worker is taken at a time; a checkpoint that fails leaves nothing and does not affect its
 * worker. Must not import the loop.
 */
import type { DoorCall, DoorPlace, DoorService } from '../http/doors/door-service.ts';
import {
  ARCHIVE_TYPES,
  CHECKPOINTS_KEPT,
  type CheckpointDetails,
  type CheckpointTrigger,
  Fault,
  formatInstant,
  missingWorker,
  type WorkerRecord,
} from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { toArchiveSource } from './archive-source.ts';
import { chooseBases } from './bases.ts';
import { canContinue } from './continue-conversation.ts';
import { expectOk, toCheckpointFault } from './door-answers.ts';
import { missingCheckpoint, toStoreFault, UnusableCheckpoint } from './faults.ts';
import { keepBudget, keepNewest } from './limits.ts';
import type { CheckpointStore, OpenArchive, OpenSource, StoredCheckpoint } from './store.ts';
import { WorkerQueues } from './worker-queues.ts';

export interface CheckpointsOptions {
  store: CheckpointStore;
  doors: Pick<DoorService, 'request'>;
  load: (workerId: string) => Promise<{ record: WorkerRecord } | undefined>;
  readConversation: (workerId: string) => Promise<StoredConversation | undefined>;
  /** Unless the worker has its own. */
  adoptConversation: (workerId: string, conversation: StoredConversation) => Promise<void>;
  /** CHECKPOINT_BUDGET in bytes. */
  budget: number;
  metrics: Pick<Metrics, 'checkpointDuration'>;
  log: Logger;
  now: () => number;
  newId: () => string;
}

export interface TakeOptions {
  trigger: CheckpointTrigger;
  /** The body, if the caller knows it. */
  place?: DoorPlace | undefined;
  /** The end of the body waits for this checkpoint. */
  final?: boolean | undefined;
  turns?: number | undefined;
  waitSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
}

export class Checkpoints {
  readonly store: CheckpointStore;
  readonly #options: CheckpointsOptions;
  readonly #queues = new WorkerQueues();

  constructor(options: CheckpointsOptions) {
    this.store = options.store;
    this.#options = options;
  }

  /**
   * Saves the workspace of a running worker. Throws a Fault: those of `Doors`, `not_found`, and `capacity` or `unavailable`
   * with the reason `CheckpointFailed` if it cannot be stored.
   */
  take(workerId: string, options: TakeOptions): Promise<CheckpointDetails> {
    return this.#queues.run(workerId, () => this.#take(workerId, options));
  }

  /** All checkpoints, or those of one worker, newest first. */
  async list(workerId?: string): Promise<StoredCheckpoint[]> {
    const all = await this.store.list().catch(rethrow);
    return workerId === undefined ? all : all.filter(({ worker_id }) => worker_id === workerId);
  }

  async get(id: string): Promise<CheckpointDetails> {
    const found = await this.store.get(id).catch(rethrow);
    if (!found) throw missingCheckpoint(id);
    return found;
  }

  async open(id: string): Promise<OpenArchive> {
    const found = await this.store.open(id).catch(rethrow);
    if (!found) throw missingCheckpoint(id);
    return found;
  }

  async remove(id: string): Promise<CheckpointDetails> {
    const found = await this.get(id);
    if (!(await this.store.remove(id).catch(rethrow))) throw missingCheckpoint(id);
    return found;
  }

  /**
   * Sends a checkpoint to a body that waits for it, with the conversation. A checkpoint that does not exist is reported to
   * the body, which then fails. Throws if the body could not be reached or refused it.
   */
  async fill(workerId: string, place: DoorPlace, id: string, signal?: AbortSignal): Promise<void> {
    const call = { kind: 'checkpoint', method: 'PUT', place, waitSeconds: 10, signal } as const;
    try {
      const opened = await this.store.open(id);
      if (opened) await this.#send(workerId, opened, call);
      else await this.#refuse(workerId, call, 'it does not exist (any more)');
    } catch (error) {
      // Another upload would fail in the same way.
      if (error instanceof UnusableCheckpoint) await this.#refuse(workerId, call, error.message);
      throw error;
    }
  }

  async #send(
    workerId: string,
    { checkpoint, stream }: OpenArchive,
    call: Omit<DoorCall, 'path'>,
  ): Promise<void> {
    const { doors, metrics, log } = this.#options;
    const { checkpoint_id: id } = checkpoint;
    const began = performance.now();
    try {
      const loaded = await this.#options.load(workerId);
      const conversation =
        checkpoint.conversation && canContinue(checkpoint.spec, loaded?.record.desired.spec)
          ? await this.store.conversation(id)
          : undefined;
      if (conversation) await this.#options.adoptConversation(workerId, conversation);
      const headers = {
        'content-type': ARCHIVE_TYPES[checkpoint.format],
        'content-length': checkpoint.bytes,
      };
      let damage: unknown;
      stream.once('error', (error) => {
        damage = error;
      });
      const sent = doors.request(workerId, { ...call, path: '/workspace', headers, body: stream });
      await sent
        .then((answer) => expectOk(answer))
        .catch((error: unknown) => {
          throw damage ?? error;
        });
      const seconds = (performance.now() - began) / 1000;
      metrics.checkpointDuration.observe(seconds, { op: 'restore' });
      log.info({ worker_id: workerId, checkpoint_id: id, seconds }, 'checkpoint restored');
    } finally {
      stream.destroy();
    }
  }

  /** Reports to a body why it gets no archive. */
  async #refuse(workerId: string, call: Omit<DoorCall, 'path'>, why: string): Promise<void> {
    const path = `/workspace?error=${encodeURIComponent(why)}`;
    await expectOk(await this.#options.doors.request(workerId, { ...call, path }));
  }

  async #take(workerId: string, options: TakeOptions): Promise<CheckpointDetails> {
    const began = performance.now();
    const count = (op: 'save' | 'failed') =>
      this.#options.metrics.checkpointDuration.observe((performance.now() - began) / 1000, { op });
    try {
      const stored = await this.#save(workerId, options);
      count('save');
      return stored;
    } catch (error) {
      if (!isMistake(error) && !options.signal?.aborted) count('failed');
      throw error;
    }
  }

  async #save(workerId: string, options: TakeOptions): Promise<CheckpointDetails> {
    const { load, readConversation, doors, newId, now, log, budget } = this.#options;
    const began = performance.now();
    const loaded = await load(workerId);
    if (!loaded) throw missingWorker(workerId);
    const { spec } = loaded.record.desired;
    const incarnation = options.place?.incarnation ?? loaded.record.status?.incarnation ?? 0;
    const id = newId();
    const checkpoint = {
      checkpoint_id: id,
      worker_id: workerId,
      ...(spec.name !== undefined && { worker_name: spec.name }),
      trigger: options.trigger,
      created_at: formatInstant(now()),
      incarnation,
      ...(options.turns !== undefined && { turns: options.turns }),
      spec,
    };
    const open = async (base: string | undefined): Promise<OpenSource> => {
      const query = new URLSearchParams({ id, ...(base !== undefined && { base }) });
      if (options.final) query.set('final', 'true');
      const answer = await doors.request(workerId, {
        kind: 'checkpoint',
        method: 'GET',
        path: `/workspace?${query}`,
        ...(options.place && { place: options.place }),
        waitSeconds: options.waitSeconds,
        signal: options.signal,
      });
      await expectOk(answer, false);
      const source = toArchiveSource(answer);
      // From now on, the conversation of the turns whose files are packed is stored.
      const conversation = await readConversation(workerId).catch((error: unknown) => {
        source.destroy();
        throw error;
      });
      return { source, conversation };
    };
    let failure: unknown;
    const stored = await this.store
      .write(checkpoint, {
        findBases: async () => chooseBases(await this.list(workerId), spec),
        // What the door answers is reported as it is, and not as a failure of the store.
        open: (base) =>
          open(base).catch((error: unknown) => {
            failure = error;
            throw error;
          }),
        mostBytes: budget,
      })
      .catch((error: unknown) => {
        throw failure ?? toCheckpointFault(error, workerId);
      });
    const seconds = (performance.now() - began) / 1000;
    log.info(
      { worker_id: workerId, checkpoint_id: stored.checkpoint_id, bytes: stored.bytes, seconds },
      'checkpoint taken',
    );
    if (options.trigger !== 'request')
      await keepNewest(this.store, workerId, spec.checkpoint?.keep ?? CHECKPOINTS_KEPT);
    const removed = await keepBudget(this.store, budget, stored.checkpoint_id);
    if (removed.length > 0)
      log.info({ checkpoints: removed }, 'deleted checkpoints to keep CHECKPOINT_BUDGET');
    return stored;
  }
}

const rethrow = (error: unknown): never => {
  throw toStoreFault(error);
};

/** The worker does not exist or does not run, which no operator can repair. */
const isMistake = (error: unknown) =>
  error instanceof Fault && (error.code === 'not_found' || error.code === 'conflict');
