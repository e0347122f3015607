import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPools } from '../../../src/cli/pools/pool-file.ts';
import { Fault } from '../../../src/model/index.ts';

const refusal = (text: string): string[] => {
  try {
    readPools(text, 'pools.yaml');
  } catch (error) {
    if (error instanceof Fault) return error.issues?.map(({ path, message }) => `${path}: ${message}`) ?? [];
    throw error;
  }
  throw new Error('It was not refused.');
};

/** Nine aliases of nine aliases, and so on: 4 kB that stand for gigabytes. */
const BOMB = [...'abcdefghi']
  .map((key, at) => `${key}: &${key} [${Array(9).fill(at === 0 ? 'x' : `*${'abcdefghi'[at - 1]}`)}]`)
  .join('\n');

test('a file holds one pool, a list of pools, or several documents of either', () => {
  const pool = (name: string) => `name: ${name}\ncount: 1\n`;
  const names = (text: string) => readPools(text, 'f').map(({ name }) => name);
  expect(names(pool('a'))).toEqual(['a']);
  expect(names(`# first\n---\n${pool('a')}---\n${pool('b')}---\n`)).toEqual(['a', 'b']);
  expect(names('pools:\n  - {name: a, count: 1}\n  - {name: b, min: 0, max: 3}\n')).toEqual(['a', 'b']);
  expect(names('[{"name": "a", "count": 1}, {"name": "b", "count": 2}]')).toEqual(['a', 'b']);
});

test('a pool is read as it is meant, with times as people write them', () => {
  const [pool] = readPools(
    'name: jobs\nmin: 1\nmax: 5\nmax_job_time: 5m\nhandlers: [handlers.py]\nexecution_mode: {docker: 2, direct: 1}\n',
    'f',
  );
  expect(pool).toMatchObject({ max_job_time: 300, concurrency: 1, execution_mode: { docker: 2, direct: 1 } });
});

test('the example is right', () => {
  const file = join(import.meta.dirname, '../../../examples/pools.yaml');
  expect(readPools(readFileSync(file, 'utf8'), file).map(({ name }) => name)).toEqual([
    'thumbnails',
    'reports',
    'reviewers',
  ]);
});

test.each([
  [
    'an unknown field',
    'name: jobs\ncount: 1\nreplicas: 3\n',
    ['pools.yaml:3: replicas is not a known field'],
  ],
  [
    'a wrong value',
    'name: jobs\n\n# three\ncount: three\n',
    ['pools.yaml:4: count must be a number, not a string'],
  ],
  [
    'one in a list',
    'pools:\n- name: a\n  count: 1\n- name: b\n  count: -1\n',
    [/^pools.yaml:5: pools\[1\].count /],
  ],
  ['a later document', 'name: a\ncount: 1\n---\nname: B\ncount: 1\n', [/^pools.yaml:4: name must be /]],
  [
    'both kinds of number',
    'name: a\ncount: 1\nmin: 0\nmax: 2\n',
    ['pools.yaml:2: count cannot be combined with min and max'],
  ],
  ['no number', 'name: a\n', ['pools.yaml:1: count is required, or min and max']],
  ['bounds that cross', 'name: a\nmin: 5\nmax: 2\n', ['pools.yaml:2: min must not be above max, 2']],
  [
    'a field of a field',
    'name: a\ncount: 1\nupdate:\n  max_surge: 0\n',
    [/^pools.yaml:4: update.max_surge must not be 0/],
  ],
  [
    'a template',
    'name: a\ncount: 1\ntemplate:\n  agent_type: CUSTOM\n',
    ['pools.yaml:4: template.command_line is required with agent_type CUSTOM'],
  ],
  [
    'a field at two places',
    'name: a\ncount: 1\nmemory_limit: 1g\ntemplate: {agent_type: CLAUDE}\n',
    ['pools.yaml:3: memory_limit cannot be set on a pool with a template; set it in the template'],
  ],
  ['a size', 'name: a\ncount: 1\nmemory_limit: many\n', [/^pools.yaml:3: memory_limit must be a size/]],
  [
    'a handler',
    'name: a\ncount: 1\nhandlers: [ok.py, ../escape.py]\n',
    [/^pools.yaml:3: handlers.1 must be a \.py/],
  ],
  [
    'a name twice',
    'pools: [{name: a, count: 1}, {name: a, count: 2}]\n',
    ['pools.yaml:1: pools[1].name is declared twice: a'],
  ],
  ['broken YAML', 'name: a\ncount: [1\n', [/^pools.yaml:\d: /]],
  [
    'an alias without an anchor',
    'name: a\ncount: 1\n---\nname: *b\ncount: 1\n',
    [/^pools.yaml:[34]: .*alias/i],
  ],
  ['aliases that grow without bound', BOMB, [/^pools.yaml:1: .*alias/i]],
  ['nothing', '# nothing\n', ['pools.yaml: declares no pool']],
  ['two things at once', 'name: a\ncount: x\ncpus: 0\n', [/^pools.yaml:2: count/, /^pools.yaml:3: cpus/]],
])('errors are reported by line and field: %s', (_, text, expected) => {
  const told = refusal(text);
  for (const line of expected)
    expect(told).toContainEqual(typeof line === 'string' ? line : expect.stringMatching(line));
});

// The schema drops it without a word: the variable was never set.
test('a name that would be dropped is refused at its place', () => {
  expect(refusal('name: a\ncount: 1\nenv:\n  A: x\n  __proto__: y\n')).toEqual([
    expect.stringMatching(/^pools\.yaml:\d: env\.__proto__ is a name that JSON readers drop/),
  ]);
});
