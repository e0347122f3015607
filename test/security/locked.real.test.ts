/** An agent that can only execute git tries the known ways around that. Each row is in docs/security.md. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS, type Escape, INJECTIONS, INTRUSIONS, PLACES, PREPARE, uploads } from './escapes.ts';
import { type Outcome, type Subject, specOf, startSubject } from './subject.ts';

const MODULES = { modules: ['GIT', 'CURL'] };
const ESCAPES: Escape[] = [
  ...COMMANDS,
  ...PLACES.flatMap((place) => uploads(place).map((it) => ({ ...it, name: `${it.name} in ${place}` }))),
  ...INJECTIONS,
  ...INTRUSIONS,
];
/** Work that must not be affected. */
const WORK: [name: string, script: string, output: RegExp][] = [
  ['the allowed command', 'cd repository && git status --short --branch', /No commits yet/],
  ['the allowed command, from a script', 'echo "git --version" > s.sh && bash s.sh', /^git version/],
  [
    'programs that git itself starts',
    'git -C repository -c user.name=a -c user.email=a@b commit -q --allow-empty -m first && git clone -q repository copy && git -C copy log --oneline',
    /first/,
  ],
  ['files of its own', 'for d in /tmp /var/tmp ~ . ; do echo x > $d/own || exit 1; done; cat ~/own', /^x$/],
  ['moving between directories', 'mkdir -p a b && echo x > a/f && git mv 2>/dev/null; cat a/f', /^x$/],
  [
    'the shell’s plumbing',
    'cat <(echo one) <<< two | sed s/one/three/ > /dev/null && echo done > /dev/null && echo yes',
    /^yes$/,
  ],
];

const subjects: Record<string, Subject> = {};
beforeAll(async () => {
  subjects.locked = await startSubject(specOf({ ...MODULES, allowed_commands: ['git'] }));
  subjects.open = await startSubject(specOf(MODULES));
}, 300_000);
afterAll(() => Promise.all(Object.values(subjects).map((subject) => subject.remove())));

async function outcomes(which: 'locked' | 'open', landlock: boolean): Promise<Map<string, Outcome>> {
  const rows = [...ESCAPES.map(({ script }) => script), ...WORK.map(([, script]) => script)];
  const done = await subjects[which]?.attempt({ landlock, prepare: PREPARE, attempts: rows });
  const names = [...ESCAPES.map(({ name }) => name), ...WORK.map(([name]) => name)];
  return new Map(names.map((name, row) => [name, done?.outcomes[row] ?? { code: 'none', output: '' }]));
}

describe.each([
  ['with Landlock', true],
  ['on a kernel without Landlock', false],
])('an agent that may execute git alone, %s', (_, landlock) => {
  let done: Map<string, Outcome>;
  beforeAll(async () => {
    done = await outcomes('locked', landlock);
  }, 120_000);

  test.each(ESCAPES.map((it) => [it.name, it] as const))('is refused: %s', (name, { open, closed }) => {
    expect(done.get(name)?.output).toMatch(closed);
    expect(done.get(name)?.output).not.toMatch(open);
  });

  test.each(WORK)('is not hindered: %s', (name, _script, output) => {
    expect(done.get(name)).toMatchObject({ code: 0, output: expect.stringMatching(output) });
  });
});

describe('an agent that can execute everything', () => {
  let done: Map<string, Outcome>;
  beforeAll(async () => {
    done = await outcomes('open', true);
  }, 120_000);

  // If a row were rejected here too, its rejection above would prove nothing. /dev/shm has no programs in any
  // container.
  const rows = ESCAPES.filter(({ name, always }) => !always && !name.endsWith('/dev/shm'));
  test.each(rows.map((it) => [it.name, it] as const))('gets through: %s', (name, { open }) => {
    expect(done.get(name)?.output).toMatch(open);
  });

  test.each(ESCAPES.filter(({ always }) => always).map((it) => [it.name, it] as const))(
    'is refused as well: %s',
    (name, { open, closed }) => {
      expect(done.get(name)?.output).toMatch(closed);
      expect(done.get(name)?.output).not.toMatch(open);
    },
  );
});

test('the wrapper reports what confines the agent', async () => {
  const locked = await subjects.locked?.attempt({ landlock: true, prepare: 'true', attempts: [] });
  expect(locked?.enforcement).toEqual(expect.arrayContaining(['groups', 'read-only', 'noexec', 'seccomp']));
  const open = await subjects.open?.attempt({ landlock: true, prepare: 'true', attempts: [] });
  expect(open?.enforcement).toEqual([]);
});
