/** Decides which images to remove. Pure. */

const DAY_MS = 86_400_000;
/**
 * A younger image is kept regardless of the budget, because the caller that had it built may not have used it
 * yet. The kubelet waits 2 minutes (`imageMinimumGCAge`); here, a build alone may take minutes.
 */
export const COLLECTION_GRACE_MS = 600_000;

/** One layer on the engine's disk. Images that share it use its bytes once. */
export interface Layer {
  id: string;
  bytes: number;
}

/** An image and its usage; times in milliseconds since 1970. */
export interface CollectionCandidate {
  name: string;
  layers: Layer[];
  created_at: number;
  last_used_at: number;
  /** A container uses it, in any state and any cell. */
  in_use: boolean;
  /** A worker is about to use it. */
  held: boolean;
  /** It has another name besides ours, so a user wants to keep it. */
  pinned: boolean;
}

export interface CollectionRules {
  /** Milliseconds since 1970. */
  now: number;
  retentionDays: number;
  /** Maximum bytes of all images together; `undefined` for no limit. */
  budgetBytes: number | undefined;
}

/** Why an image is removed, as text for people. */
export interface Verdict {
  name: string;
  why: string;
}

/**
 * Selects the images to remove, in this order: images unused for longer than the retention, then the least
 * recently used ones until the rest fits the budget. Used, held, pinned and young images count toward the
 * budget and stay.
 */
export function selectRemovals(
  images: CollectionCandidate[],
  { now, retentionDays, budgetBytes }: CollectionRules,
): Verdict[] {
  const removable = images
    .filter(({ in_use, held, pinned }) => !in_use && !held && !pinned)
    .filter(({ created_at }) => now - created_at >= COLLECTION_GRACE_MS)
    .sort((a, b) => a.last_used_at - b.last_used_at || a.created_at - b.created_at);
  const kept = new Set(images);
  const verdicts: Verdict[] = [];
  const drop = (image: CollectionCandidate, why: string) => {
    kept.delete(image);
    verdicts.push({ name: image.name, why });
  };
  for (const image of removable)
    if (now - image.last_used_at > retentionDays * DAY_MS)
      drop(image, `not used for ${formatDays(now - image.last_used_at)}`);
  for (const image of removable) {
    if (budgetBytes === undefined || totalBytes([...kept]) <= budgetBytes) break;
    if (kept.has(image)) drop(image, 'least recently used, and the total size exceeds IMAGE_BUDGET');
  }
  return verdicts;
}

/** Total bytes of images; a layer that they share counts once. */
export function totalBytes(images: Pick<CollectionCandidate, 'layers'>[]): number {
  const layers = new Map(
    images.flatMap((image) => image.layers.map(({ id, bytes }) => [id, bytes] as const)),
  );
  return [...layers.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function formatDays(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  return days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`;
}
