/**
 * The table of modules. Their order here is their order in every Dockerfile: those with the most bytes first, so that
 * two images which differ in a small one share the layers of the big ones.
 *
 * Imports the modules and nothing else of ours.
 */
import { build } from './build.ts';
import { copier } from './copier.ts';
import { curl } from './curl.ts';
import { docker } from './docker.ts';
import { git } from './git.ts';
import { githubCli } from './github-cli.ts';
import type { Module, ModuleName } from './module.ts';

export type { HostNeeds, Module, ModuleName } from './module.ts';

export const MODULE_TABLE: readonly Module[] = [docker, build, copier, git, githubCli, curl];

/** The modules of these names, each once, in the table's order. */
export function getModules(names: readonly ModuleName[]): Module[] {
  return MODULE_TABLE.filter(({ name }) => names.includes(name));
}
