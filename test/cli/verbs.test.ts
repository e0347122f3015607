/** Which module a command line loads. */
import { expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { loadVerbs, VERBS } from '../../src/cli/verbs.ts';

const context = { deps: {} } as Context;
const loaders = Object.values(VERBS).flat();

test.each(loaders)('the verbs $names have the names that load them', async ({ names, load }) => {
  const commands = [await load(context)].flat();
  const found = commands.flatMap((command) => [command.name(), ...command.aliases()]);
  expect(found).toEqual(names.split(' '));
});

test('a verb or its alias loads its module only; anything else loads all verbs, for the help', async () => {
  const load = async (word?: string) =>
    (await loadVerbs(context, word)).map(({ command }) => command.name()).join(' ');
  const all = await load('--help');
  expect(await load('ls')).toBe('ps');
  expect(await load('rm')).toBe('stop start restart delete');
  expect(await load('pss')).toBe(all);
  expect(await load()).toBe(all);
  expect(all.split(' ')).toHaveLength(new Set(all.split(' ')).size);
});
