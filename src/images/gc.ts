/**
 * Removes images that are no longer kept from the engine. `collect.ts` decides; this file acts, one image at
 * a time: it claims the image in the usage record, so that no worker starts using it, and removes it without
 * force, so that the engine refuses if a container uses it after all.
 *
 * Invariants: nothing without our label is removed, and no image with another name is removed, so an image
 * that a user has tagged (for example `worker:latest`) stays. A failed listing removes nothing.
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
/** Far above the deadline of a removal: a call that has timed out may still be carried out. */
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
  /** Labels besides ours that an image needs to be considered, such as `team=blue`. */
  labels?: string[];
  /** Whether an image is being built. If so, build leftovers stay, because the build may use them. */
  building?: () => boolean;
}

/** The result of one collection, or of a dry run. */
export interface Collection {
  dry_run: boolean;
  removed: Verdict[];
  /** Images that were selected but stayed, with the reason. */
  skipped: Verdict[];
  /** Build stages that are not part of any named image. */
  leftovers_removed: number;
  /** Bytes on disk that only the removed images and leftovers used. */
  freed_bytes: number;
  /** Bytes removed from the engine's own build cache. */
  cache_freed_bytes: number;
  /** The remaining images of ours, and their size in bytes. */
  images: number;
  image_bytes: number;
  /**
   * Bytes of all layers on the engine, for all owners, before and after; absent if the engine does not report
   * them.
   */
  disk_bytes_before?: number;
  disk_bytes_after?: number;
}

export interface Collector {
  /** Lists the images. */
  list(): Promise<StoredImage[]>;
  /** An aborted signal ends the collection before the next image. */
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
    // Counts like a start: a container of another manager may have its record in another Redis.
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

  /** Removes one image; returns the reason if it stays. */
  async function remove({ name, last_used_at = 0 }: StoredImage, by: string): Promise<string | undefined> {
    const claim = await usage.claimRemoval(name, CLAIM_MS, { by, seen: last_used_at });
    if (claim === 'held') return 'a worker is about to use it';
    if (claim === 'used') return 'it has been used since';
    if (claim === 'removing') return 'another collection is removing it';
    try {
      await client.call('remove', (docker) => docker.getImage(name).remove({ force: false }));
    } catch (error) {
      // No answer: the removal may still happen, so the claim stays until it expires.
      if (!(error instanceof EngineRefusal)) return errorMessage(error);
      const gone = error.status === 404;
      await usage.endRemoval(name, { by, gone });
      return gone ? undefined : error.status === 409 ? 'a container uses it' : error.message;
    }
    await usage.endRemoval(name, { by, gone: true });
    return undefined;
  }

  /** Removes build leftovers: the old ones, and the oldest of the rest above the budget. */
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
   * The engine's build cache does not record its owner, so only entries that were unused for the whole
   * retention and exceed the budget are removed.
   */
  async function pruneBuilder(dryRun: boolean): Promise<number> {
    const { cacheBudgetBytes, retentionDays } = options;
    if (cacheBudgetBytes === undefined || dryRun) return 0;
    const query = {
      'keep-storage': cacheBudgetBytes,
      filters: { 'unused-for': [`${Math.ceil(retentionDays * 24)}h`] },
    };
    try {
      const pruned = await ask<{ SpaceReclaimed?: number }>('prune', 'POST', '/build/prune', query);
      return pruned.SpaceReclaimed ?? 0;
    } catch (error) {
      if (error instanceof EngineRefusal) return 0;
      throw error;
    }
  }

  /** dockerode has methods for these two calls, but sends no parameters with them. */
  function ask<T>(call: 'df' | 'prune', method: string, path: string, options: object): Promise<T> {
    const request = { path: `${path}?`, method, options, statusCodes: { 200: true, 400: 'bad parameter' } };
    return client.call(
      call,
      (docker, abortSignal) =>
        new Promise<T>((resolve, reject) => {
          const end = (error: unknown, body: unknown) => (error ? reject(error) : resolve(body as T));
          docker.modem.dial({ ...request, abortSignal } as never, end as never);
        }),
    );
  }

  /** This is only information for users, so an error does not fail the collection. */
  async function layersSize(): Promise<number | undefined> {
    try {
      // Newer engines can omit volumes and containers, which are slow to measure.
      const usage = await ask<{ LayersSize?: number }>('df', 'GET', '/system/df', { type: 'image' });
      return usage.LayersSize;
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

/** Bytes of leftovers that are not part of any image. */
function ownBytes(leftovers: Leftover[], { images, foreign }: InventorySnapshot): number {
  const rest = [...images, { layers: foreign }];
  return totalBytes([...rest, ...leftovers]) - totalBytes(rest);
}

/** Bytes of layers that are not in `kept`, so that removal frees them. */
function difference({ images, leftovers, foreign }: InventorySnapshot, kept: { layers: Layer[] }[]): number {
  const rest = { layers: foreign };
  return totalBytes([rest, ...images, ...leftovers]) - totalBytes([rest, ...kept]);
}
