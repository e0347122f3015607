import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  type Checkpoint,
  COMMAND_NAMES,
  type Command,
  commonFields,
  ENTRY_LIMIT,
  errorMessage,
  Fault,
  parseCommand,
  takeHead,
} from '../model/index.ts';
import type { CommandEntry, CommandOutcome, CommandSettlement, CommandStream } from '../store/index.ts';
import { Fenced, unlessOver } from '../store/index.ts';
import { type CommandContext, failureResponse, type Plan } from './context.ts';
import { planCommand } from './plan.ts';

/** Number of entries read at once. */
const BATCH = 100;
/** How long a read waits for a new entry. */
const BLOCK_MS = 2000;
/** Number of deliveries after which an entry that was never settled is set aside. */
const MAX_DELIVERIES = 5;
/** Age of a delivery after which it counts as lost: the reply was lost with its connection, or its reader died. */
const STRANDED_MS = 30_000;
/** Maximum length of an unknown command's name in a response. */
const NAME_LENGTH = 64;
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
  onSettled: (command: string, result: string, lagMs: number) => void;
  checkpoint?: Checkpoint | undefined;
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
      for (const entry of entries) {
        if (signal.aborted) return;
        await settle(entry, options);
      }
      if ((leftovers || stranded) && entries.length === 0) {
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

async function settle(entry: CommandEntry, options: CommandConsumerOptions): Promise<void> {
  const { context, log } = options;
  const settlement = await planEntry(entry, context);
  options.checkpoint?.('command:read');
  const { outcome, taken } = await settleOne(settlement, options);
  options.checkpoint?.('command:settled');
  const { requestId: request_id, workerId: worker_id, name, asked } = settlement;
  const answer = settlement.answers[outcome as 'ok'] ?? settlement.answers.ok;
  const refused = JSON.parse(answer).error as { code: string; message: string } | undefined;
  const result = outcome === 'repeated' ? 'duplicate' : (refused?.code ?? 'ok');
  log.info({ request_id, worker_id, command: name, result, asked, why: refused?.message }, 'command settled');
  options.onSettled(name, result, Math.max(0, context.now() - Number(entry.id.split('-')[0])));
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
}

/** The selected warm worker is reconciled, whether it was claimed or not. */
async function settleOne(
  settlement: CommandSettlement,
  { epoch, stream, onChanged, onReleased, onClaimed: later }: CommandConsumerOptions,
) {
  const warm = settlement.created?.warm;
  let taken = false;
  try {
    const done = await stream.settle(epoch, settlement);
    taken = done.taken;
    return done;
  } finally {
    if (warm) ((taken ? later : onReleased) ?? onChanged)(warm.worker_id);
  }
}

const wrote = ({ operation }: Plan, outcome: CommandOutcome) =>
  (outcome === 'ok' || outcome === 'same' || outcome === 'repeated') &&
  (operation === 'create' || operation === 'desire' || operation === 'restart');

type CommandFields = Record<string, unknown>;

/** The result of an entry. Never throws. */
async function planEntry(
  entry: CommandEntry,
  context: CommandContext,
): Promise<CommandSettlement & Plan & { name: string }> {
  const fields = parseEntry(entry);
  if (typeof fields === 'string') {
    const fault = new Fault('invalid_command', `The entry ${entry.id} of worker:commands ${fields}.`);
    return { ...toRejection(entry, {}, fault), operation: 'dead', name: 'unreadable' };
  }
  const name = COMMAND_NAMES.find((known) => known === fields.command) ?? 'invalid';
  if (entry.deliveries >= MAX_DELIVERIES) {
    const why = `was tried ${entry.deliveries - 1} times without success; see the manager's log`;
    const fault = new Fault('internal', `The entry ${entry.id} of worker:commands ${why}.`);
    return { ...toRejection(entry, fields, fault), operation: 'dead', name };
  }
  let command: Command;
  try {
    command = parseCommand(fields);
  } catch (error) {
    return { ...toRejection(entry, fields, error as Fault), name };
  }
  const plan = await planCommand(command, context);
  const { request_id: requestId, reply_to: replyTo } = command;
  return { ...plan, entry, requestId, replyTo, name: command.command };
}

/** The object in an entry, or why there is none. */
function parseEntry({ data, bytes }: CommandEntry): CommandFields | string {
  if (bytes > ENTRY_LIMIT) return `has ${bytes} bytes; the limit is ${ENTRY_LIMIT}`;
  if (data === undefined) return 'has no field "data"';
  let fields: unknown;
  try {
    fields = JSON.parse(data);
  } catch (error) {
    return `is not JSON: ${takeHead(errorMessage(error), 200)}`;
  }
  const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields);
  return isObject ? (fields as CommandFields) : 'is not a JSON object';
}

/** The response to a command that cannot be executed, with as many of its own fields as are valid. */
function toRejection(entry: CommandEntry, fields: CommandFields, fault: Fault): CommandSettlement {
  // If the command itself is unknown, its other fields are not checked.
  const requestId = commonFields.request_id.safeParse(fields.request_id).data ?? '';
  const replyTo = commonFields.reply_to.safeParse(fields.reply_to).data;
  const names = {
    ...(typeof fields.command === 'string' && { command: takeHead(fields.command, NAME_LENGTH) }),
    ...(requestId ? { request_id: requestId } : { entry_id: entry.id }),
  };
  return {
    entry,
    requestId,
    replyTo,
    operation: 'answer',
    answers: { ok: failureResponse(names, fault) },
  };
}
