import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type CrashPoint, errorMessage, toTraceId } from '../model/index.ts';
import type { CommandEntry, CommandOutcome, CommandSettlement, CommandStream } from '../store/index.ts';
import { Fenced, unlessOver } from '../store/index.ts';
import type { CommandContext, Plan } from './context.ts';
import { type EntrySettlement, parseEntry } from './parse-entry.ts';
import type { PendingCreates } from './pending-creates.ts';
import { planEntry } from './plan.ts';

/** Number of entries read at once. */
const BATCH = 100;
/** Number of creates that are settled at the same time; each waits mostly for Redis. */
const CREATES_AT_ONCE = 16;
/** How long a read waits for a new entry. */
const BLOCK_MS = 2000;
/** Age of a delivery after which it counts as lost: the reply was lost with its connection, or its reader died. */
const STRANDED_MS = 30_000;
/** First and longest delay after an error of Redis. */
const RETRY_MS = [100, 2000] as const;

export interface CommandConsumerOptions {
  stream: CommandStream;
  epoch: number;
  context: CommandContext;
  log: Logger;
  /** A worker's desired record has changed. */
  onChanged: (workerId: string) => void;
  /** This worker should run: it was created or started again. */
  onWanted?: (workerId: string) => void;
  /** A pool's spec has changed. */
  onPoolChanged: (name: string) => void;
  /**
   * A worker claimed a body whose wrapper reports on its own when it has started, by this command; otherwise the warm
   * worker. If this is not set, `changed` is called instead.
   */
  onClaimed?: (workerId: string, by?: CommandSettlement['created']) => void;
  /** A warm worker was selected but was not claimed, or the result is unknown. */
  onReleased?: (workerId: string) => void;
  /** The stream or its group existed before and was recreated. */
  onStreamLost?: () => void;
  /** A command was settled, `lagMs` after it was written. */
  onSettled: (command: string, result: string, lagMs: number, settlement: EntrySettlement) => void;
  crashPoint?: CrashPoint | undefined;
  /** The stream exists, and what earlier readers left on it is settled. */
  onCaughtUp?: () => void;
  /** Shared with `DirectCreates`. */
  creates: PendingCreates;
  /** Milliseconds, instead of STRANDED_MS. */
  strandedMs?: number;
}

/**
 * Reads and settles commands in order until the signal fires, starting with those that an earlier reader left
 * unsettled. No content of an entry ends it, and an outage of Redis only delays it. Throws only `Fenced`.
 */
export async function consumeCommands(options: CommandConsumerOptions, signal: AbortSignal): Promise<void> {
  const { stream, log, strandedMs = STRANDED_MS } = options;
  let leftovers = true;
  let claimedAt = performance.now();
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (leftovers && (await stream.ensureGroup())) options.onStreamLost?.();
      const stranded = performance.now() - claimedAt >= strandedMs;
      // One by one: a claim counts as a delivery, and an entry that cannot be settled must not count for the
      // others.
      const entries: CommandEntry[] =
        leftovers || stranded
          ? await stream.claim(leftovers ? 0 : strandedMs)
          : ((await unlessOver(stream.read(BATCH, BLOCK_MS, signal), signal)) ?? []);
      await settleAll(entries, options, signal);
      if ((leftovers || stranded) && entries.length === 0) {
        if (leftovers) options.onCaughtUp?.();
        leftovers = false;
        claimedAt = performance.now();
      }
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Fenced) throw error;
      // Also NOGROUP and UNBLOCKED, after the stream was lost with the store: the group is recreated.
      leftovers = true;
      failures += 1;
      log.warn({ err: error, failures }, 'failed to read commands; retrying');
      await delay(Math.min(RETRY_MS[0] * 2 ** (failures - 1), RETRY_MS[1]), undefined, { signal }).catch(
        () => {},
      );
    }
  }
}

/**
 * Settles entries in order. Only creates overlap: their workers have nothing in common but names and the total, and the
 * script that accepts them checks names one after the other.
 */
async function settleAll(
  entries: CommandEntry[],
  options: CommandConsumerOptions,
  signal: AbortSignal,
): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  const { creates } = options;
  const drain = async () => {
    const failed = (await Promise.allSettled(inFlight)).find(({ status }) => status === 'rejected');
    inFlight.clear();
    if (failed) throw (failed as PromiseRejectedResult).reason;
  };
  for (const entry of entries) {
    if (signal.aborted) break;
    const parsed = parseEntry(entry);
    const isCreate = 'command' in parsed && parsed.command.command === 'create';
    if (!isCreate || inFlight.size >= CREATES_AT_ONCE) await drain();
    const { context, end } = creates.open(options.context);
    let settlement = await planEntry(entry, parsed, context);
    if (settlement.operation === 'later' && creates.size > 0) {
      // Those before it may not all become workers.
      await drain();
      await creates.settled();
      settlement = await planEntry(entry, parsed, context);
    }
    options.crashPoint?.('command:read');
    // A failed one stays, for `drain`.
    const settled = settle(settlement, options)
      .finally(end)
      .then(() => {
        inFlight.delete(settled);
      });
    inFlight.add(settled);
    if (!isCreate) await drain();
  }
  await drain();
}

/** Settles a command, and notifies those that react to it; returns the answer to a direct one. */
export async function settle(
  settlement: EntrySettlement,
  options: CommandConsumerOptions,
): Promise<string | undefined> {
  const { context, log } = options;
  const { outcome, taken, answer: returned } = await settleOne(settlement, options);
  options.crashPoint?.('command:settled');
  const { requestId: request_id, workerId: worker_id, name, asked } = settlement;
  const answer = settlement.answers[outcome as 'ok'] ?? settlement.answers.ok;
  const refused = JSON.parse(answer).error as { code: string; message: string } | undefined;
  const result = outcome === 'repeated' ? 'duplicate' : (refused?.code ?? 'ok');
  const trace_id = toTraceId(settlement.traceparent);
  const why = refused?.message;
  log.info({ request_id, worker_id, trace_id, command: name, result, asked, why }, 'command settled');
  const lagMs = Math.max(0, context.now() - Number(settlement.entry.id.split('-')[0]));
  options.onSettled(name, result, lagMs, settlement);
  if (settlement.pool && outcome === 'ok') options.onPoolChanged(settlement.pool.name);
  if (worker_id && wrote(settlement, outcome)) {
    if (settlement.operation === 'create' || settlement.desired === 'running') options.onWanted?.(worker_id);
    // Its wrapper reports before an observation would show anything.
    if (taken && settlement.created?.warm?.fits && options.onClaimed)
      options.onClaimed(worker_id, settlement.created);
    else options.onChanged(worker_id);
  }
  // A history line for people: nothing waits for it, and a failure has no effect.
  if (worker_id && settlement.event && outcome === 'ok')
    void context.store
      .emit(worker_id, settlement.event)
      .catch((error) => log.warn({ worker_id, why: errorMessage(error) }, 'failed to write history'));
  return returned;
}

/** The selected warm worker is reconciled, whether it was claimed or not. */
async function settleOne(
  settlement: CommandSettlement,
  { epoch, stream, onChanged, onReleased, onClaimed: later }: CommandConsumerOptions,
) {
  const warm = settlement.created?.warm;
  let claimed = false;
  try {
    const done = await stream.settle(epoch, settlement);
    claimed = done.taken;
    return done;
  } finally {
    if (warm) ((claimed ? later : onReleased) ?? onChanged)(warm.worker_id);
  }
}

const wrote = ({ operation }: Plan, outcome: CommandOutcome) =>
  (outcome === 'ok' || outcome === 'same' || outcome === 'repeated') &&
  (operation === 'create' || operation === 'desire' || operation === 'restart');
