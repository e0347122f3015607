/** The fields that applying a pool would change, and the consequences. Pure. */
import type { PoolRecord, PoolSpec } from '../model/index.ts';
import { fixedSize } from './autoscale.ts';
import { computeRevision } from './template.ts';

export interface FieldChange {
  /** Such as `update.max_surge`. */
  path: string;
  before: unknown;
  after: unknown;
}

export interface PoolDifference {
  name: string;
  change: 'created' | 'configured' | 'unchanged';
  fields: FieldChange[];
  /** Workers are replaced because their template changes. */
  replaces: boolean;
}

export function diffPool(before: PoolRecord | undefined, after: PoolSpec): PoolDifference {
  const { name } = after;
  const known = before?.desired === 'running' ? before.spec : undefined;
  const fields = changes(known ?? {}, after, '');
  const change = !known ? 'created' : fields.length > 0 ? 'configured' : 'unchanged';
  const replaces =
    known !== undefined &&
    computeRevision(known) !== computeRevision(after) &&
    (known.max ?? fixedSize(known)) > 0;
  return { name, change, fields: change === 'created' ? [] : fields, replaces };
}

function changes(before: unknown, after: unknown, path: string): FieldChange[] {
  if (isMap(before) && isMap(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => changes(before[name], after[name], path ? `${path}.${name}` : name));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
