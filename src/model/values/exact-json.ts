import type { Issue } from './fault.ts';
import { JSON_DEPTH_LIMIT } from './json-depth.ts';

/**
 * The first place in a value that JSON would silently change: a whole number beyond 2^53 - 1, which readers round, or
 * the key `__proto__`, which readers drop. Undefined if the value is unchanged. Pure.
 */
export function findInexactNumber(value: unknown, path = '', levels = JSON_DEPTH_LIMIT): Issue | undefined {
  if (typeof value === 'number') {
    // From 1e21 on, a number is written with an exponent and is not exact when read.
    const rounded = Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21;
    if (rounded)
      return { path, message: 'is a whole number beyond 2^53 - 1, which may be rounded; send a string' };
    return Number.isFinite(value) ? undefined : { path, message: 'is a number that JSON cannot represent' };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (levels === 0)
    return { path, message: `is nested too deeply: it has more than ${JSON_DEPTH_LIMIT} levels` };
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      const issue = findInexactNumber(item, `${path}[${at}]`, levels - 1);
      if (issue) return issue;
    }
    return undefined;
  }
  for (const [key, item] of Object.entries(value)) {
    const place = path === '' ? key : `${path}.${key}`;
    if (key === '__proto__')
      return { path: place, message: 'is a name that JSON readers drop; use another name' };
    const issue = findInexactNumber(item, place, levels - 1);
    if (issue) return issue;
  }
  return undefined;
}
