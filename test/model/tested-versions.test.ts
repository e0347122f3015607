import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TESTED, versionAdvice } from '../../src/model/tested-versions.ts';

const ROOT = join(import.meta.dirname, '../..');

test.for([
  ['Docker', '20.10.24', undefined],
  ['Docker', '26.1.5+dfsg1', undefined],
  ['Docker', '28.5.2', undefined],
  ['Docker', '28.6.0', 'newer'],
  ['Docker', '29.0.0-rc.1', 'newer'],
  ['Docker', '19.03.15', 'older'],
  ['Docker', 'unknown', undefined],
  ['Node', 'v24.99.1', undefined],
  ['Node', 'v25.0.0', 'newer'],
  ['Node', 'v20.20.0', 'older'],
  ['Redis', '7.0.15', undefined],
  ['Redis', '6.2.7', 'older'],
  ['Redis', '8.2.1', 'newer'],
  ['Valkey', '8.1.4', 'older'],
] as const)('%s %s: %s', ([program, version, order]) => {
  const advice = versionAdvice(program, version);
  if (order === undefined) expect(advice).toBeUndefined();
  else expect(advice).toContain(`is ${order} than the tested ones (${program} `);
});

test.for(['README.md', 'docs/engines.md'])('%s names the tested versions', async (file) => {
  const text = await readFile(join(ROOT, file), 'utf8');
  for (const [program, { oldest, newest }] of Object.entries(TESTED)) {
    expect(text).toMatch(new RegExp(`${program}\\b[^.|]*[ |]+${oldest.replaceAll('.', '\\.')}\\b`));
    expect(text).toMatch(new RegExp(`\\b${newest.replaceAll('.', '\\.')}\\b`));
  }
});
