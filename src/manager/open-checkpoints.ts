/** The checkpoints of a cell: their store, the service that the API uses, and what a leader does with them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Checkpoints } from '../checkpoints/checkpoints.ts';
import { CheckpointDirectory } from '../checkpoints/directory.ts';
import { sumCheckpointBytes } from '../checkpoints/limits.ts';
import { CheckpointBucket } from '../checkpoints/s3-store.ts';
import type { CheckpointStore } from '../checkpoints/store.ts';
import type { Settings } from '../config/settings.ts';
import type { DoorService } from '../http/doors/door-service.ts';
import { AutomaticCheckpoints } from '../leader/automatic-checkpoints.ts';
import { sweepCheckpoints } from '../leader/checkpoint-sweep.ts';
import { parseCheckpointPlace } from '../model/index.ts';
import { adoptConversation, type Link, readConversation, type Store } from '../store/index.ts';
import { lastKnown } from '../telemetry/last-known.ts';
import type { ServeOptions } from './options.ts';

const HOUR_MS = 3_600_000;
const SWEEP_MS = 60_000;

interface CheckpointDeps {
  redis: Link;
  store: Store;
  doors: DoorService;
  now: () => number;
}

type Options = Pick<ServeOptions, 'settings' | 'metrics' | 'log'>;

const budgetOf = ({ checkpointBudgetBytes: bytes }: Settings) => bytes ?? Number.MAX_SAFE_INTEGER;

/** Each cell has a folder of its own. The clients of S3 are loaded with the first use. */
function openStore({ checkpointDir, cell, home }: Settings): CheckpointStore {
  const place = parseCheckpointPlace(checkpointDir);
  if (place?.kind !== 's3') return new CheckpointDirectory(join(checkpointDir, cell));
  return new CheckpointBucket(
    { ...place, prefix: `${place.prefix}${cell}/` },
    join(home, '.checkpoints', cell),
  );
}

/** Any manager of the cell takes and serves checkpoints. */
export function openCheckpoints(
  { settings, metrics, log }: Options,
  { redis, store, doors, now }: CheckpointDeps,
): Checkpoints {
  const { keys } = store;
  const checkpoints = new Checkpoints({
    store: openStore(settings),
    doors,
    load: (id) => store.load(id),
    readConversation: (id) => readConversation(redis, keys, id),
    adoptConversation: (id, conversation) => adoptConversation(redis, keys, id, conversation),
    budget: budgetOf(settings),
    metrics,
    log,
    now,
    newId: randomUUID,
  });
  const read = lastKnown(() => checkpoints.list());
  metrics.beforeScrape(async () => {
    const all = await read(undefined);
    if (!all) return;
    metrics.checkpoints.set(all.length);
    metrics.checkpointBytes.set(sumCheckpointBytes(all));
  });
  return checkpoints;
}

/** What only the leader does: the checkpoints that specs ask for, and the deletion of those that are not needed. */
export function createCheckpointKeepers(
  { settings, log }: Pick<Options, 'settings' | 'log'>,
  deps: { checkpoints: Checkpoints; store: Store; mayAct: () => boolean; now: () => number },
): { automatic: AutomaticCheckpoints; background: ((signal: AbortSignal) => Promise<void>)[] } {
  const { checkpoints, store, mayAct, now } = deps;
  const emit = (id: string, event: Parameters<Store['emit']>[1]) => store.emit(id, event);
  const automatic = new AutomaticCheckpoints({ checkpoints, emit, mayAct, log, now });
  const sweep = {
    checkpoints: checkpoints.store,
    store,
    retentionMs: settings.checkpointRetentionHours * HOUR_MS,
    budget: budgetOf(settings),
    intervalMs: SWEEP_MS,
    mayAct,
    log,
    now,
  };
  return {
    automatic,
    background: [(signal) => automatic.run(signal), (signal) => sweepCheckpoints(sweep, signal)],
  };
}
