/**
 * Derives the name of an image from its recipe. Pure.
 *
 * Invariants: everything that changes the content of an image is part of its name; two recipes with the same
 * name make the same image. The building machine, its certificates and the build time are not part of it.
 */
import { computeDigest } from '../model/index.ts';
import { renderDockerfile } from './dockerfile.ts';
import type { Recipe } from './recipe.ts';

/** `worker:` and the digest of the recipe and of its Dockerfile. */
export function imageName(recipe: Recipe): `worker:${string}` {
  return `worker:${computeDigest({ ...recipe, dockerfile: renderDockerfile(recipe) })}`;
}
