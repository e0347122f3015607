/**
 * The wait of a warm body for a claim: it has booted up to its agent, sends heartbeats as the worker that it
 * was created for, and reads from that worker's input which worker it serves. From then on it reports only
 * for that worker: its heartbeat, streams and `seq`.
 *
 * Invariants: nothing of the agent exists before its worker is known; everything that is needed afterwards is
 * loaded, connected and tried in advance, because the claim has to be fast.
 */
import type { Redis } from 'ioredis';
import { CLAIMED_INCARNATION, type ClaimRecord } from '../../src/model/worker/claim.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { Keys } from '../../src/store/keys.ts';
import { createLog, type Log } from '../log.ts';
import type { WrapperSettings } from '../settings.ts';
import { HeartbeatSender } from '../streams/heartbeat.ts';
import { openBlockingConnection, whenReady } from '../streams/redis-connection.ts';
import type { Assigned } from './boot.ts';
import type { StartState } from './initial-state.ts';
import { warmUp } from './warm-up.ts';

const BLOCK_MS = 5000;
const AGAIN_MS = 200;

/** Waits until a worker claims the body; undefined if `signal` ends the wait. */
export async function awaitAssignment(options: {
  settings: WrapperSettings;
  keys: Keys;
  commands: Redis;
  start: StartState;
  log: Log;
  signal: AbortSignal;
}): Promise<Assigned | undefined> {
  const { settings, keys, commands, start, log, signal } = options;
  const { workerId: madeFor, incarnation } = settings;
  const blocking = openBlockingConnection(settings.redisUrl, log);
  await warmUp({ settings, start, keys, log });
  const waiting = new HeartbeatSender({
    redis: commands,
    keys,
    workerId: madeFor,
    incarnation,
    seq: () => start.lastSeq,
  });
  await waiting.announce(start.lastSeq);
  log.info('booted; waiting for a claim');

  const assignment = await readAssignment(blocking, keys.input(madeFor), signal);
  waiting.stop();
  if (!assignment) {
    blocking.disconnect();
    return undefined;
  }
  const { worker_id: workerId, at, spec } = assignment;
  const mine = { ...settings, workerId, incarnation: CLAIMED_INCARNATION };
  // A worker that gets its first body has no output yet.
  const own: StartState = { spec, lastSeq: 0, lastId: undefined };
  const serving: ClaimRecord = { worker_id: workerId, at, spec };
  const heartbeat = new HeartbeatSender({
    redis: commands,
    keys,
    workerId,
    incarnation: CLAIMED_INCARNATION,
    seq: () => 0,
    serving: { key: keys.claimRecord(madeFor), text: JSON.stringify(serving) },
  });
  // Not before the event loop turns: an agent that starts without waiting for anything is ready by then, a
  // millisecond earlier, and its first entry brings a heartbeat along. If it waits, observers see that the body has
  // started. See docs/decisions/0051.
  setImmediate(() => {
    void heartbeat.begin();
    void commands.del(keys.input(madeFor), keys.heartbeat(madeFor)).catch(() => {});
  });
  return {
    settings: { ...mine, inherited: createInherited(mine, spec) },
    log: createLog(settings.logLevel, workerId, CLAIMED_INCARNATION),
    start: own,
    blocking,
    heartbeat,
  };
}

/** The agent's view of its environment, which does not contain its warm pool. */
function createInherited(
  { inherited, workerId, incarnation }: WrapperSettings,
  spec: WorkerSpec,
): Record<string, string> {
  const { WORKER_POOL: _, ...rest } = inherited;
  return {
    ...rest,
    WORKER_ID: workerId,
    WORKER_INCARNATION: String(incarnation),
    WORKER_TYPE: spec.worker_type ?? spec.agent_type,
  };
}

/** The content of the entry: the worker that the body serves, and since when. */
interface AssignMessage {
  worker_id: string;
  at: number;
  spec: WorkerSpec;
}

/** Reads the stream from its beginning, so that entries from an outage of Redis are received. */
async function readAssignment(
  blocking: Redis,
  key: string,
  signal: AbortSignal,
): Promise<AssignMessage | undefined> {
  const ended = new Promise<undefined>((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  for (let from = '0'; !signal.aborted; ) {
    try {
      const reply = await Promise.race([
        whenReady(blocking).then(() => blocking.xread('COUNT', 16, 'BLOCK', BLOCK_MS, 'STREAMS', key, from)),
        ended,
      ]);
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        from = id;
        const assignment = parseAssignMessage(fields?.[1]);
        if (assignment) return assignment;
      }
    } catch {
      await Promise.race([new Promise((resolve) => setTimeout(resolve, AGAIN_MS)), ended]);
    }
  }
  return undefined;
}

function parseAssignMessage(data: string | undefined): AssignMessage | undefined {
  try {
    const { type, worker_id, at, spec } = JSON.parse(data ?? '');
    return type === 'assign' && typeof worker_id === 'string' && spec
      ? { worker_id, at: Number(at ?? 0), spec }
      : undefined;
  } catch {
    // A prompt to an unclaimed warm worker has no recipient.
    return undefined;
  }
}
