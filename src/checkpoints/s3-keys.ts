/** The keys of the objects of checkpoints in a bucket. Pure. */
import { checkpointId, formatInstant } from '../model/index.ts';
import type { S3Object } from './s3-bucket.ts';

/** It becomes a part of keys, so it is checked here even if a caller has checked it before. */
export const prefixOf = (id: string) => `${checkpointId.parse(id)}/`;

/** The objects of each checkpoint; others do not belong to any. */
export function groupById(objects: readonly S3Object[]): Map<string, S3Object[]> {
  const groups = new Map<string, S3Object[]>();
  for (const object of objects) {
    const [id = '', name] = object.key.split('/');
    if (name === undefined || !checkpointId.safeParse(id).success) continue;
    groups.set(id, [...(groups.get(id) ?? []), object]);
  }
  return groups;
}

export function toExpiry(objects: readonly S3Object[]): string | undefined {
  const times = objects.map(({ key }) => Number(/\/expires-(\d{1,15})$/.exec(key)?.[1] ?? Number.NaN));
  const last = Math.max(...times.filter(Number.isFinite));
  return Number.isFinite(last) ? formatInstant(last) : undefined;
}
