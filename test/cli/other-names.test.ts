import { expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { OTHER_OPTIONS, OTHER_VERBS } from '../../src/cli/other-names.ts';
import { loadVerbs } from '../../src/cli/verbs.ts';

test('what is suggested for the names of other programs exists, and these names do not', async () => {
  const all = await loadVerbs({ deps: {} } as Context, undefined);
  const verbs = new Map(
    all.flatMap(({ command }) => [command.name(), ...command.aliases()].map((name) => [name, command])),
  );
  const suggested = [
    ...Object.values(OTHER_VERBS).map((text) => `\`${text}\``),
    ...Object.values(OTHER_OPTIONS),
  ]
    .flatMap((text) => [...text.matchAll(/`wm ([a-z-]+)/g)])
    .map(([, verb]) => verb);
  expect(suggested.filter((verb = '') => !verbs.has(verb))).toEqual([]);
  for (const name of Object.keys(OTHER_VERBS)) {
    const [verb = '', next] = name.split(' ');
    const group = verbs.get(verb);
    expect([name, next ? group?.commands.some((one) => one.name() === next) : group !== undefined]).toEqual([
      name,
      false,
    ]);
  }
  for (const name of Object.keys(OTHER_OPTIONS)) {
    const [verb = '', flag = ''] = name.split(' ');
    const options = verbs.get(verb)?.options ?? [];
    expect([name, options.some(({ short, long }) => flag === short || flag === long)]).toEqual([name, false]);
  }
});
