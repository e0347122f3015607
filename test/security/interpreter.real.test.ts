/**
 * An allowed interpreter runs any code within its own process, as intended. It still cannot start a program
 * that is not allowed, or access anything of the wrapper.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Escape, INTRUSIONS } from './escapes.ts';
import { type Outcome, type Subject, specOf, startSubject } from './subject.ts';

const SPEC = specOf({ modules: ['GIT', 'CURL'], allowed_commands: ['git', 'perl'] });
const REFUSED = /Permission denied|Operation not permitted|not implemented|Read-only file system/;
/** Numbers of calls that differ; the tests' machines are of these two kinds. */
const CALL = process.arch === 'arm64' ? { memfd: 279, ptrace: 117 } : { memfd: 319, ptrace: 101 };
const perl = (code: string) => `perl -e '$| = 1; ${code}'`;
const call = (number: number, ...rest: (string | number)[]) =>
  perl(
    `my $text = chr(0) x 120; my $got = syscall(${[number, ...rest].join(', ')}); print $got < 0 ? "$!" : "ESCAPED $got"`,
  );
const row = (name: string, script: string): Escape => ({ name, script, open: /ESCAPED/, closed: REFUSED });

/** A process of the agent's user with every group, like the wrapper's own helper commands. */
const HELPER = 'read -r pid < /tmp/helper';
const ROWS: Escape[] = [
  row('a command that is not allowed', perl('exec "curl", "-s", "file:///tmp/mark" or print "$!"')),
  row('a file in memory', call(CALL.memfd, '$text', 0)),
  row('a file in secret memory', call(447, 0)),
  row('a ring of calls that no filter sees', call(425, 1, '$text')),
  row('tracing the wrapper', call(CALL.ptrace, 16, '$ENV{WRAPPER} + 0', 0, 0)),
  row(
    'tracing a helper command of the wrapper',
    `${HELPER}; PID=$pid ${call(CALL.ptrace, 16, '$ENV{PID} + 0', 0, 0)}`,
  ),
  row(
    'opening the memory of a helper command of the wrapper',
    `${HELPER}; PID=$pid ${perl('open(my $f, "+<", "/proc/$ENV{PID}/mem") ? print "ESCAPED" : print "$!"')}`,
  ),
  row('becoming root', perl('$! = 0; $< = $> = 0; print $< == 0 ? "ESCAPED" : "$!"')),
  row('a user namespace', call(process.arch === 'arm64' ? 97 : 272, '0x10000000')),
  row('a program in /tmp', perl('exec "/tmp/static", "--probe" or print "$!"')),
  ...INTRUSIONS,
];
const PREPARE = [
  'echo ESCAPED > /tmp/mark',
  'cp /worker/confine /tmp/static; cp /worker/confine /workspace/static; chmod 755 /tmp/static /workspace/static',
  'sleep 60 >/dev/null 2>&1 & echo $! > /tmp/helper',
].join('\n');

let subject: Subject;
beforeAll(async () => {
  subject = await startSubject(SPEC);
}, 300_000);
afterAll(() => subject?.remove());

describe.each([
  ['with Landlock', true],
  ['on a kernel without Landlock', false],
])('an agent that may execute an interpreter, %s', (_, landlock) => {
  let done: Outcome[];
  let works: Outcome[];
  beforeAll(async () => {
    const attempts = [
      ...ROWS.map(({ script }) => script),
      perl('print "any code"'),
      '/workspace/static --probe',
    ];
    const { outcomes } = await subject.attempt({ landlock, prepare: PREPARE, attempts });
    [done, works] = [outcomes.slice(0, ROWS.length), outcomes.slice(ROWS.length)];
  }, 120_000);

  test.each(ROWS.map((it, at) => [it.name, it, at] as const))(
    'is refused: %s',
    (_name, { open, closed }, at) => {
      expect(done[at]?.output).toMatch(closed);
      expect(done[at]?.output).not.toMatch(open);
    },
  );

  test('runs any code in the interpreter, and programs created in the workspace', () => {
    expect(works.map(({ output }) => output)).toEqual(['any code', expect.stringContaining('seccomp=')]);
  });
});
