/** Values of one build that are in no Dockerfile and so in no image name: arguments and labels. */
import { LABEL } from '../model/index.ts';
import { MODULES_LABEL } from './inventory.ts';
import type { Recipe } from './recipe.ts';

/** The builder warns about an argument that no step uses; pip uses plain http only with trusted hosts. */
export function toPipArguments(
  { requirements, modules }: Recipe,
  index: string | undefined,
): Record<string, string> {
  if (index === undefined || (requirements === undefined && !modules.includes('COPIER'))) return {};
  const { protocol, hostname } = new URL(index);
  return { PIP_INDEX_URL: index, ...(protocol === 'http:' && { PIP_TRUSTED_HOST: hostname }) };
}

/**
 * Values that vary between builds; they are in the call, not in the text, so that the engine's cache stays
 * valid.
 */
export function toImageLabels(recipe: Recipe, version: string): Record<string, string> {
  return {
    [LABEL.managed]: 'true',
    [LABEL.agentType]: recipe.agent.type,
    [MODULES_LABEL]: recipe.modules.join(','),
    'org.opencontainers.image.created': new Date().toISOString(),
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.base.name': recipe.base.name,
    'org.opencontainers.image.base.digest': recipe.base.digest,
  };
}
