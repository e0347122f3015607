import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import { INPUT_GROUP, type Keys } from '../../src/store/keys.ts';
import type { Log } from '../log.ts';
import { whenReady } from '../streams/redis-connection.ts';

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 2000;

/** The state of the worker in Redis when a body starts. */
export interface StartState {
  spec: WorkerSpec;
  /** The highest known `seq` of any incarnation. */
  lastSeq: number;
  /** The newest ID of the output stream. */
  lastId: string | undefined;
  /** The ID of the input stream up to which an earlier body has handled all entries. */
  passed?: string | undefined;
}

/**
 * Reads the spec and the output's position, and creates the input group, in one round trip. Retries forever,
 * because the manager may be restoring the records. Returns undefined if `signal` ends the wait.
 */
export async function readStartState(options: {
  redis: Redis;
  keys: Keys;
  workerId: string;
  /** The spec of a node that was started manually, which has no record. */
  spec?: WorkerSpec | undefined;
  log: Log;
  signal: AbortSignal;
}): Promise<StartState | undefined> {
  const { redis, keys, workerId, log, signal } = options;
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  let logged = false;
  let created = false;
  for (let backoff = BACKOFF_MIN_MS; !signal.aborted; backoff = Math.min(backoff * 2, BACKOFF_MAX_MS)) {
    await Promise.race([whenReady(redis), aborted]);
    if (signal.aborted) return undefined;
    const results = await redis
      .pipeline()
      .hget(keys.desired(workerId), 'spec')
      .xrevrange(keys.output(workerId), '+', '-', 'COUNT', 1)
      .get(keys.heartbeat(workerId))
      .xgroup('CREATE', keys.input(workerId), INPUT_GROUP, '0', 'MKSTREAM')
      .exec();
    const [spec, newest, beat, group] = results ?? [];
    created ||= group !== undefined && !group[0];
    const error = spec?.[0] ?? newest?.[0] ?? beat?.[0];
    const found = options.spec ?? (typeof spec?.[1] === 'string' && (JSON.parse(spec[1]) as WorkerSpec));
    if (!error && found) {
      const entry = (newest?.[1] as [string, string[]][] | undefined)?.[0];
      const lastSeq = Math.max(parseSeq(entry?.[1][1]), parseSeq(beat?.[1]));
      const passed = parsePassed(beat?.[1]);
      // The group was lost; handled entries must not be handled again.
      if (passed !== undefined && created)
        await redis.xgroup('SETID', keys.input(workerId), INPUT_GROUP, passed).catch(() => {});
      return { spec: found, lastSeq, lastId: entry?.[0], passed };
    }
    if (!logged)
      log.warn('loading the spec of this worker', {
        key: keys.desired(workerId),
        error: error?.message ?? 'it does not exist',
      });
    logged = true;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, backoff)), aborted]);
  }
  return undefined;
}

/** Creates the agent's directory with the instruction files that agents read; throws the system's error. */
export function prepareWorkspace(workspace: string, instructions: string | undefined): void {
  mkdirSync(workspace, { recursive: true });
  if (instructions === undefined) return;
  for (const name of ['CLAUDE.md', 'AGENTS.md']) {
    const path = join(workspace, name);
    // Removed first, because a link left by the previous incarnation's agent must not redirect the write.
    rmSync(path, { force: true, recursive: true });
    writeFileSync(path, instructions);
  }
}

/** The ID in a heartbeat of an earlier body, if it is valid. */
function parsePassed(json: unknown): string | undefined {
  try {
    const { input_id: id } = JSON.parse(String(json)) as { input_id?: unknown };
    return typeof id === 'string' && /^\d{1,20}-\d{1,20}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

function parseSeq(json: unknown): number {
  try {
    const { seq } = JSON.parse(String(json)) as { seq?: unknown };
    return Number.isSafeInteger(seq) ? Number(seq) : 0;
  } catch {
    return 0;
  }
}
