/**
 * The name of an image follows from its recipe. Pure.
 *
 * What must always hold: whatever changes the content of an image is in its name; two recipes with one name make the
 * same image. Neither the machine that builds, nor its certificates, nor the time of the build is in it.
 */
import { computeDigest } from '../model/index.ts';
import { renderDockerfile } from './dockerfile.ts';
import type { Recipe } from './recipe.ts';

/** `worker:` and the digest of the recipe and of the Dockerfile that follows from it. */
export function imageName(recipe: Recipe): `worker:${string}` {
  return `worker:${computeDigest({ ...recipe, dockerfile: renderDockerfile(recipe) })}`;
}
