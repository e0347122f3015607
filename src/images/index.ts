/**
 * From a worker's spec to a present image: recipe → Dockerfile → name → build. The name is derived from
 * everything that changes the content, so an image is built once, shared by all workers that can share it,
 * and never changed.
 *
 * Recipe, Dockerfile and name are pure; `images.ts` calls the engine. Imports neither the store nor the loop.
 */

export { type HostNeeds, MODULE_TABLE, type Module } from '../modules/index.ts';
export { type BuildProgress, ImageBuildFailed } from './build.ts';
export { machineCa } from './ca.ts';
export { type BuildContextOptions, writeBuildContext } from './context.ts';
export { renderDockerfile } from './dockerfile.ts';
export { createImageAvailability } from './image-availability.ts';
export { imageName } from './image-name.ts';
export { createImages, type Images, type ImagesOptions } from './images.ts';
export { type Base, type BuildInputs, createRecipe, type Recipe } from './recipe.ts';
export { hashSources, SOURCES, type Sources } from './sources.ts';
