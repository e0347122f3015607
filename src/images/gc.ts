/**
 * Takes images that are no longer kept off the engine. `collect.ts` decides; here it is done, one image at a time:
 * claimed in the record of uses, so that no worker uses it meanwhile, and removed without force, so that the engine
 * refuses where a container has it after all.
 *
 * What must always hold: nothing without our label is removed, and no image with a name that is not ours: a user who
 * tags one, as with `worker:latest`, keeps it. A look that fails removes nothing.
 */
import { randomUUID } from 'node:crypto';
import { errorMessage } from '../model/index.ts';
import { DockerClient, EngineRefusal, type ObserveCall } from '../runtimes/docker/client.ts';
import type { ImageUsage } from '../store/index.ts';
import {
  COLLECTION_GRACE_MS,
  type CollectionRules,
  type Layer,
  selectRemovals,
  totalBytes,
  type Verdict,
} from './collect.ts';
import { Inventory, type InventorySnapshot, type Leftover, type StoredImage } from './inventory.ts';

const DAY_MS = 86_400_000;
/** Far above the deadline of a removal: one that was given up may still be carried out. */
const CLAIM_MS = 600_000;

export type { StoredImage } from './inventory.ts';

export interface CollectorOptions {
  /** `unix:///path`, `/path`, `tcp://host:port`. */
  host: string;
  usage: ImageUsage;
  retentionDays: number;
  /** IMAGE_BUDGET; `undefined` for no bound. */
  budgetBytes: number | undefined;
  /** BUILD_CACHE_BUDGET; `undefined` leaves the build cache alone. */
  cacheBudgetBytes: number | undefined;
  now?: () => number;
  observe?: ObserveCall;
  /** Labels that an image needs beside ours to be looked at, such as `team=blue`. */
  labels?: string[];
  /** Whether an image is being built: what is left of builds is not touched then, for it may be in use. */
  building?: () => boolean;
}

/** What one collection did, or in a dry run would do. */
export interface Collection {
  dry_run: boolean;
  removed: Verdict[];
  /** What was decided on and stayed, with the reason. */
  skipped: Verdict[];
  /** Stages of builds that no image has by its name. */
  leftovers_removed: number;
  /** Bytes that the removed images and leftovers alone had on the disk. */
  freed_bytes: number;
  /** Bytes of the engine's own build cache that went. */
  cache_freed_bytes: number;
  /** Images of ours that are left, and the bytes that they take. */
  images: number;
  image_bytes: number;
  /** Bytes of all layers on the engine, all owners together, before and after; absent if it does not report them. */
  disk_bytes_before?: number;
  disk_bytes_after?: number;
}

export interface Collector {
  /** What images there are. */
  list(): Promise<StoredImage[]>;
  /** A signal that fires ends it before the next image. */
  collect(options?: { dryRun?: boolean; signal?: AbortSignal }): Promise<Collection>;
  close(): void;
}

export function createCollector(options: CollectorOptions): Collector {
  const { usage, now = Date.now } = options;
  const client = new DockerClient({ host: options.host, observe: options.observe });
  const inventory = new Inventory(client, usage, options.labels);

  async function collect({
    dryRun = false,
    signal,
  }: {
    dryRun?: boolean;
    signal?: AbortSignal;
  } = {}): Promise<Collection> {
    const began = now();
    const snapshot = await inventory.read();
    const disk_bytes_before = await layersSize();
    // Used as much as a start would: a container of another manager, whose record is another Redis, counts so too.
    if (!dryRun)
      for (const image of snapshot.images)
        if (image.last_used_at === undefined || image.used_by.length > 0) {
          await usage.touch(image.name);
          image.last_used_at = began;
        }
    const rules: CollectionRules = { ...options, now: began };
    const verdicts = selectRemovals(
      snapshot.images.map((image) => toCandidate(image, began)),
      rules,
    );
    const removed: Verdict[] = [];
    const skipped: Verdict[] = [];
    const by = randomUUID();
    for (const verdict of verdicts) {
      if (signal?.aborted) break;
      const image = snapshot.images.find(({ name }) => name === verdict.name);
      const why = dryRun || !image ? undefined : await remove(image, by);
      if (why === undefined) removed.push(verdict);
      else skipped.push({ name: verdict.name, why });
    }
    const gone = new Set(removed.map(({ name }) => name));
    const kept = snapshot.images.filter(({ name }) => !gone.has(name));
    const leftovers = await prune(snapshot, began, dryRun);
    const left = snapshot.leftovers.filter((leftover) => !leftovers.includes(leftover));
    const cache_freed_bytes = await pruneBuilder(dryRun);
    const disk_bytes_after = dryRun ? disk_bytes_before : await layersSize();
    return {
      dry_run: dryRun,
      removed,
      skipped,
      leftovers_removed: leftovers.length,
      freed_bytes: difference(snapshot, [...kept, ...left]),
      cache_freed_bytes,
      images: kept.length,
      image_bytes: totalBytes(kept),
      ...(disk_bytes_before === undefined ? {} : { disk_bytes_before }),
      ...(disk_bytes_after === undefined ? {} : { disk_bytes_after }),
    };
  }

  /** Removes one; says why it stays. */
  async function remove({ name, last_used_at = 0 }: StoredImage, by: string): Promise<string | undefined> {
    const claim = await usage.claimRemoval(name, CLAIM_MS, { by, seen: last_used_at });
    if (claim === 'held') return 'a worker is about to use it';
    if (claim === 'used') return 'it has been used since';
    if (claim === 'removing') return 'another collection is removing it';
    try {
      await client.call('remove', (docker) => docker.getImage(name).remove({ force: false }));
    } catch (error) {
      // No answer: it may still happen, and the claim stays until it expires.
      if (!(error instanceof EngineRefusal)) return errorMessage(error);
      const gone = error.status === 404;
      await usage.endRemoval(name, { by, gone });
      return gone ? undefined : error.status === 409 ? 'a container uses it' : error.message;
    }
    await usage.endRemoval(name, { by, gone: true });
    return undefined;
  }

  /** Leftovers of builds: the old ones, and the oldest of the rest above the bound. */
  async function prune(snapshot: InventorySnapshot, at: number, dryRun: boolean): Promise<Leftover[]> {
    const { cacheBudgetBytes, retentionDays } = options;
    if (cacheBudgetBytes === undefined || options.building?.()) return [];
    const left = new Set(snapshot.leftovers);
    const removed: Leftover[] = [];
    for (const leftover of snapshot.leftovers.toSorted((a, b) => a.created_at - b.created_at)) {
      if (at - leftover.created_at < COLLECTION_GRACE_MS) break;
      const old = at - leftover.created_at > retentionDays * DAY_MS;
      if (!old && ownBytes([...left], snapshot) <= cacheBudgetBytes) break;
      if (!dryRun && !(await removeLeftover(leftover.id))) continue;
      left.delete(leftover);
      removed.push(leftover);
    }
    return removed;
  }

  async function removeLeftover(id: string): Promise<boolean> {
    try {
      await client.call('remove', (docker) => docker.getImage(id).remove({ force: false }));
      return true;
    } catch (error) {
      if (error instanceof EngineRefusal) return error.status === 404;
      throw error;
    }
  }

  /**
   * The engine's own build cache does not show its owner, so only what was unused for the whole retention is
   * given up, and only what is above the bound.
   */
  async function pruneBuilder(dryRun: boolean): Promise<number> {
    const { cacheBudgetBytes, retentionDays } = options;
    if (cacheBudgetBytes === undefined || dryRun) return 0;
    const query = {
      'keep-storage': cacheBudgetBytes,
      filters: { 'unused-for': [`${Math.ceil(retentionDays * 24)}h`] },
    };
    try {
      const told = await ask<{ SpaceReclaimed?: number }>('prune', 'POST', '/build/prune', query);
      return told.SpaceReclaimed ?? 0;
    } catch (error) {
      if (error instanceof EngineRefusal) return 0;
      throw error;
    }
  }

  /** dockerode knows these two calls, but sends no parameters with them. */
  function ask<T>(call: 'df' | 'prune', method: string, path: string, options: object): Promise<T> {
    const request = { path: `${path}?`, method, options, statusCodes: { 200: true, 400: 'bad parameter' } };
    return client.call(
      call,
      (docker, abortSignal) =>
        new Promise<T>((resolve, reject) => {
          const end = (error: unknown, told: unknown) => (error ? reject(error) : resolve(told as T));
          docker.modem.dial({ ...request, abortSignal } as never, end as never);
        }),
    );
  }

  /** A figure for users: it is not a reason to fail. */
  async function layersSize(): Promise<number | undefined> {
    try {
      // Newer engines leave out volumes and containers, which take them long.
      const told = await ask<{ LayersSize?: number }>('df', 'GET', '/system/df', { type: 'image' });
      return told.LayersSize;
    } catch {
      return undefined;
    }
  }

  return { list: async () => (await inventory.read()).images, collect, close: () => client.close() };
}

function toCandidate(image: StoredImage, now: number) {
  return {
    ...image,
    last_used_at: image.last_used_at ?? now,
    in_use: image.used_by.length > 0,
    held: image.held_by.length > 0,
    pinned: image.other_names.length > 0,
  };
}

/** Bytes of leftovers that no image has. */
function ownBytes(leftovers: Leftover[], { images, foreign }: InventorySnapshot): number {
  const rest = [...images, { layers: foreign }];
  return totalBytes([...rest, ...leftovers]) - totalBytes(rest);
}

/** Bytes that go with what is not in `kept`: not those of layers that anything else has. */
function difference({ images, leftovers, foreign }: InventorySnapshot, kept: { layers: Layer[] }[]): number {
  const rest = { layers: foreign };
  return totalBytes([rest, ...images, ...leftovers]) - totalBytes([rest, ...kept]);
}
