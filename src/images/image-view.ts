import { formatInstant, type ImageView } from '../model/index.ts';
import type { StoredImage } from './inventory.ts';

/** Images as users see them, newest first; layers are the engine's concern. */
export function toImageViews(images: readonly StoredImage[]): ImageView[] {
  const sorted = images.toSorted((a, b) => b.created_at - a.created_at || a.name.localeCompare(b.name));
  return sorted.map(({ layers: _, created_at, last_used_at, ...image }) => ({
    ...image,
    created_at: formatInstant(created_at),
    ...(last_used_at === undefined ? {} : { last_used_at: formatInstant(last_used_at) }),
  }));
}
