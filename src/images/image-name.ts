/**
 * The name of an image follows from its recipe. Pure.
 *
 * What must always hold: whatever changes the content of an image is in its name; two recipes with one name make the
 * same image. Neither the machine that builds, nor its certificates, nor the time of the build is in it.
 */
import { createHash } from 'node:crypto';
import { dockerfileOf } from './dockerfile.ts';
import type { Recipe } from './recipe.ts';

/** The recipe and the Dockerfile that follows from it as one text, the same on every machine. */
export function canonicalJson(recipe: Recipe): string {
  return JSON.stringify(sorted({ ...recipe, dockerfile: dockerfileOf(recipe) }));
}

/** `worker:` and the first 12 digits of the recipe's sha256. */
export function imageName(recipe: Recipe): `worker:${string}` {
  return `worker:${createHash('sha256').update(canonicalJson(recipe)).digest('hex').slice(0, 12)}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
