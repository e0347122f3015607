/** The name is the same for the same content, and changes with everything that changes the content. */
import { expect, test } from 'vitest';
import { type BuildInputs, createRecipe, imageName } from '../../src/images/index.ts';
import type { WorkerSpec } from '../../src/model/index.ts';
import { GROUND, specOf } from './recipes.ts';

const nameOf = (fields: Partial<WorkerSpec> = {}, ground: Partial<BuildInputs> = {}) =>
  imageName(createRecipe(specOf(fields), { ...GROUND, ...ground }));

test('the name is worker: and 12 digits', () => {
  expect(nameOf()).toMatch(/^worker:[0-9a-f]{12}$/);
});

test('the name changes with each input that changes the content', () => {
  const { base } = GROUND;
  const names = [
    nameOf(),
    nameOf({ agent_type: 'CLAUDE' }),
    nameOf({ agent_type: 'FACTORY' }),
    nameOf({ agent_type: 'CODEX' }),
    nameOf({ agent_type: 'CLAUDE', agent_version: '2.1.300' }),
    nameOf({ modules: ['GIT'] }),
    nameOf({ modules: ['GIT', 'CURL'] }),
    nameOf({ requirements: ['six'] }),
    nameOf({ requirements: ['six==1.17.0'] }),
    nameOf({ packages: ['jq'] }),
    nameOf({ packages: ['jq', 'zstd'] }),
    nameOf({ allowed_commands: [] }),
    nameOf({}, { base: { ...base, name: 'debian:node' } }),
    nameOf({}, { base: { ...base, digest: `sha256:${'3'.repeat(64)}` } }),
    nameOf({}, { wrapper: '4'.repeat(64) }),
    nameOf({}, { arch: 'arm64' }),
  ];
  expect(new Set(names).size).toBe(names.length);
});

test('the name does not depend on other inputs', () => {
  const name = nameOf({ modules: ['GIT', 'CURL'], allowed_commands: ['git'] });
  expect(nameOf({ modules: ['CURL', 'GIT', 'GIT'], allowed_commands: ['curl', 'ls'] })).toBe(name);
  expect(nameOf({ packages: ['zstd', 'jq', 'jq'], requirements: ['b', 'a'] })).toBe(
    nameOf({ packages: ['jq', 'zstd'], requirements: ['a', 'b', 'b'] }),
  );
  expect(nameOf({ packages: [], requirements: [] })).toBe(nameOf());
  const rest = { instructions: 'be kind', env: { A: '1' }, secrets: ['K'], resources: { memory: '1g' } };
  expect(nameOf({ modules: ['GIT', 'CURL'], allowed_commands: [], ...rest })).toBe(name);
  expect(nameOf({ agent_type: 'CLAUDE', agent_version: '2.1.329' })).toBe(nameOf({ agent_type: 'CLAUDE' }));
});

test('the name does not depend on the order of a recipe’s fields', () => {
  const recipe = createRecipe(specOf({ agent_type: 'CLAUDE' }), GROUND);
  const backwards = Object.fromEntries(Object.entries(recipe).reverse()) as typeof recipe;
  expect(imageName(backwards)).toBe(imageName(recipe));
});
