import type { Redis } from 'ioredis';
import {
  type ClaimCandidate,
  type CommandResponse,
  formatInstant,
  type LifecycleEvent,
  takeHead,
  type WorkerSpec,
} from '../../model/index.ts';
import { redactEntry } from '../../telemetry/redact.ts';
import type { Link } from '../connect.ts';
import { COMMAND_GROUP, type Keys } from '../keys.ts';
import { type PoolChange, settlePool } from '../pools/pool-settlement.ts';
import { TOMBSTONE_MS, throwIfFenced, toFields } from '../reply.ts';
import { createAssignment, createClaim, toAssignMessage } from '../workers/claim-store.ts';
import { STREAMS_KEPT_MS } from '../workers/worker-records.ts';
import { type CommandEntry, CommandReader } from './command-reader.ts';

/** How long an answered request is remembered, and the maximum bytes of all remembered answers. */
const REQUEST_MEMORY_MS = 86_400_000;
const REQUEST_MEMORY_BYTES = 67_108_864;
/** Approximate number of answers kept on a response stream. */
const RESPONSES_KEPT = 10_000;
const DEAD_KEPT = 1000;
/** Expiry of a stream that an orchestrator named with `reply_to`. */
const REPLY_STREAM_MS = 86_400_000;
/** Maximum characters of an entry in the dead letters. */
const DEAD_EXCERPT = 65_536;
const KEPT = {
  request_ms: REQUEST_MEMORY_MS,
  request_bytes: REQUEST_MEMORY_BYTES,
  responses: RESPONSES_KEPT,
  reply_ms: REPLY_STREAM_MS,
};
/** The outcome of a command, applied in one step. */
export interface CommandSettlement {
  entry: CommandEntry;
  /** Empty if it could not be parsed; then nothing is remembered. */
  requestId: string;
  replyTo: string | undefined;
  /**
   * - `answer`: only answers. `later`: answers, and the same request may be retried. `read`: answers a read
   *   with what was read.
   * - `pool`: writes a pool's desired record. `create`, `desire`: write the worker's. `restart`: like `desire`, and
   *   replaces its body. `dead`: unreadable, or failed repeatedly.
   */
  operation: 'answer' | 'later' | 'read' | 'dead' | 'create' | 'desire' | 'restart' | 'pool';
  /**
   * The answers by outcome; `@holder@` in `name_taken` is replaced by the ID of the worker that has the name, and
   * `@generation@` in `stale` by the worker's generation.
   */
  answers: { ok: string; conflict?: string; name_taken?: string; not_found?: string; stale?: string };
  /** Digest of the command without its IDs: a repeated request with another one is reported as such. */
  fingerprint?: string;
  workerId?: string;
  /** The generation that the worker must have for `desire` and `restart`; otherwise the outcome is `stale`. */
  ifGeneration?: number | undefined;
  pool?: PoolChange;
  desired?: 'stopped' | 'running' | 'deleted';
  /** The trace that the worker's start belongs to; stored in its record. */
  traceparent?: string | undefined;
  created?: {
    spec: WorkerSpec;
    at: string;
    ms: number;
    prompt: string | undefined;
    warm?: WarmCandidate | undefined;
  };
}

/** The warm worker whose body a new worker claims, if it is still available. */
export interface WarmCandidate extends ClaimCandidate {
  /** The body fits unchanged, and its wrapper can be notified in the same step. */
  fits: boolean;
}

export type CommandOutcome = 'repeated' | 'ok' | 'same' | 'conflict' | 'name_taken' | 'not_found' | 'stale';

/** The command stream of one cell. Only the leader reads it. */
export class CommandStream {
  readonly #redis: Link;
  readonly #reader: CommandReader;
  readonly #keys: Keys;

  constructor(redis: Link, blocking: Redis, keys: Keys) {
    this.#redis = redis;
    this.#reader = new CommandReader(redis, blocking, keys.commands);
    this.#keys = keys;
  }

  /**
   * Creates the group if it is missing, from the start of the stream, so that earlier entries are not lost.
   * (Answered commands are removed from the stream.) Returns true if it existed: commands have been executed
   * in this store.
   */
  async ensureGroup(): Promise<boolean> {
    try {
      await this.#redis.xgroup('CREATE', this.#keys.commands, COMMAND_GROUP, '0', 'MKSTREAM');
      const { revision, workers, index, answered } = this.#keys;
      return (await this.#redis.exists(revision, workers, index, answered)) > 0;
    } catch (error) {
      if (String(error).includes('BUSYGROUP')) return false;
      throw error;
    }
  }

  /** Reads new entries; waits up to `blockMs` for one. */
  read(count: number, blockMs: number, signal?: AbortSignal): Promise<CommandEntry[]> {
    return this.#reader.read(count, blockMs, signal);
  }

  /** Claims an unacknowledged entry of any consumer that has been idle for at least `idleMs`. */
  claim(idleMs: number): Promise<CommandEntry[]> {
    return this.#reader.claim(idleMs);
  }

  /**
   * Writes, answers, remembers and acknowledges in one step; throws `Fenced` if another manager leads. `answer` is that to
   * a direct entry.
   */
  async settle(
    epoch: number,
    what: CommandSettlement,
  ): Promise<{ outcome: CommandOutcome; generation: number; taken: boolean; answer?: string }> {
    if (what.pool) {
      const { entry, requestId, fingerprint, replyTo, answers, pool: change } = what;
      const settlement = { epoch, entryId: entry.id, requestId, fingerprint, replyTo, answers, change };
      return { ...(await settlePool(this.#redis, this.#keys, settlement, KEPT)), taken: false };
    }
    const keys = this.#keys;
    const id = what.workerId ?? '-';
    const warm = what.created?.warm;
    const from = warm?.worker_id ?? '-';
    const [outcome, generation, taken, answer] = (await this.#redis.accept(
      keys.leader,
      keys.request(what.requestId),
      keys.commands,
      what.replyTo ?? keys.responses,
      keys.desired(id),
      keys.index,
      keys.workers,
      keys.revision,
      keys.input(id),
      keys.dead,
      keys.responses,
      keys.bodies,
      keys.desired(from),
      keys.status(from),
      keys.input(from),
      keys.heartbeat(from),
      keys.events(from),
      keys.status(id),
      keys.events(id),
      keys.names,
      keys.answered,
      keys.answeredBytes,
      epoch,
      COMMAND_GROUP,
      what.entry.direct ? '' : what.entry.id,
      what.operation,
      JSON.stringify(what.answers),
      REQUEST_MEMORY_MS,
      RESPONSES_KEPT,
      what.replyTo ? REPLY_STREAM_MS : 0,
      id,
      what.desired ?? 'running',
      what.created ? JSON.stringify(what.created.spec) : '',
      what.created?.at ?? '',
      what.requestId,
      what.created?.ms ?? 0,
      what.created?.prompt ?? '',
      what.operation === 'dead' ? toDeadEntry(what) : '',
      DEAD_KEPT,
      ...toClaimArgs(id, what),
    )) as [unknown, number, number | undefined, string | null | undefined];
    return {
      outcome: throwIfFenced<CommandOutcome>(outcome),
      generation,
      taken: taken === 1,
      ...(typeof answer === 'string' && { answer }),
    };
  }

  /** Deletes acknowledged commands that an older version has left; never deletes an unacknowledged one. */
  async trim(): Promise<void> {
    const { commands } = this.#keys;
    if ((await this.#redis.xlen(commands)) === 0) return;
    const groups = (await this.#redis.xinfo('GROUPS', commands)) as unknown[];
    const group = groups.map(toMap).find((info) => info.get('name') === COMMAND_GROUP);
    const [, firstPending] = (await this.#redis.xpending(commands, COMMAND_GROUP)) as [number, string | null];
    const safe = firstPending ?? (group?.get('last-delivered-id') as string | undefined);
    if (safe) await this.#redis.xtrim(commands, 'MINID', safe);
  }
}

/** A dead letter: the entry, and why it could not be executed. */
function toDeadEntry({ entry, answers }: CommandSettlement): string {
  const { error } = JSON.parse(answers.ok) as CommandResponse;
  return JSON.stringify({ entry_id: entry.id, error, entry: toExcerpt(entry.data) });
}

/** Redacts before cutting, but only the relevant start of a very long text. */
const toExcerpt = (data: string | undefined) =>
  data === undefined ? null : takeHead(redactEntry(takeHead(data, 4 * DEAD_EXCERPT)), DEAD_EXCERPT);

/** The script arguments about the body to claim. */
function toClaimArgs(id: string, what: CommandSettlement): (string | number)[] {
  const { created, fingerprint = '', ifGeneration = '', traceparent = '' } = what;
  const warm = created?.warm;
  const common = [REQUEST_MEMORY_BYTES, fingerprint, ifGeneration, traceparent];
  if (!created || !warm) return ['', '', '', '', '', 0, 0, ...common, ''];
  const claim = createClaim(id, warm, created.ms, warm.fits);
  const { status, event } = createAssignment(created, warm);
  const beginning = warm.fits ? [JSON.stringify(event), ...toFields(status)] : [''];
  const last: LifecycleEvent = {
    timestamp: formatInstant(created.ms),
    type: 'status',
    status: 'STOPPED',
    phase: 'deleted',
    reason: 'TakenOver',
    message: `Its body was claimed by worker ${id}.`,
    incarnation: 0,
    actions: [],
  };
  return [
    warm.worker_id,
    warm.body_id,
    JSON.stringify(claim),
    warm.fits ? toAssignMessage(claim) : '',
    JSON.stringify(last),
    TOMBSTONE_MS,
    STREAMS_KEPT_MS,
    ...common,
    ...beginning,
  ];
}

/** RESP3 returns maps where RESP2 returns flat lists. */
function toMap(info: unknown): Map<string, unknown> {
  if (info instanceof Map) return info;
  if (!Array.isArray(info)) return new Map(Object.entries(info as object));
  const pairs: [string, unknown][] = [];
  for (let at = 0; at + 1 < info.length; at += 2) pairs.push([String(info[at]), info[at + 1]]);
  return new Map(pairs);
}
