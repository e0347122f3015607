/** Which images are no longer kept. Pure. */

const DAY_MS = 86_400_000;
/**
 * An image younger than this is kept, whatever the budget says: its user will still come for it. The kubelet
 * waits 2 minutes (`imageMinimumGCAge`); here a build may take minutes itself.
 */
export const COLLECTION_GRACE_MS = 600_000;

/** One layer on the engine's disk; images that have it in common take its bytes once. */
export interface Layer {
  id: string;
  bytes: number;
}

/** What is known of an image; times in milliseconds since 1970. */
export interface CollectionCandidate {
  name: string;
  layers: Layer[];
  created_at: number;
  last_used_at: number;
  /** A container of whatever state and cell has it. */
  in_use: boolean;
  /** A worker is about to get it. */
  held: boolean;
  /** It has a name beside ours, so a user wants to keep it. */
  pinned: boolean;
}

export interface CollectionRules {
  /** Milliseconds since 1970. */
  now: number;
  retentionDays: number;
  /** Bytes that all images together may take; `undefined` for no bound. */
  budgetBytes: number | undefined;
}

/** Why an image goes, in words for people. */
export interface Verdict {
  name: string;
  why: string;
}

/**
 * What goes, in this order: images unused for longer than the retention, and then the least recently used
 * until the rest is within the budget. What is in use, held, pinned or young counts into the budget and stays.
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

/** Bytes that images take together, and that layers they share take once. */
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
