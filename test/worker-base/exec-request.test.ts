/** The manager's schema of a command and the wrapper's own check accept the same requests. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { execRequest, Fault } from '../../src/model/index.ts';
import {
  EXEC_ARGUMENT_LIMIT,
  EXEC_ENV_LIMIT,
  EXEC_SECONDS,
  EXEC_TEXT_LIMIT,
} from '../../src/model/values/limits.ts';
import { readExecRequest } from '../../worker-base/exec/exec-request.ts';

function isAcceptedByWrapper(request: unknown): boolean {
  try {
    readExecRequest(request);
    return true;
  } catch (error) {
    if (error instanceof Fault && error.code === 'invalid_command' && error.issues?.length) return false;
    throw error;
  }
}

const isAcceptedByManager = (request: unknown) => execRequest.safeParse(request).success;

const text = fc.oneof(
  fc.string(),
  fc.constantFrom('', 'sh', 'a\0b', 'x'.repeat(EXEC_TEXT_LIMIT), 'x'.repeat(EXEC_TEXT_LIMIT + 1)),
);
/** Values of wrong types, too. */
const odd = fc.constantFrom<unknown>(null, 0, true, [], {}, 'text', ['a', 1], { A: 1 });
const field = (right: fc.Arbitrary<unknown>, absent = 12) =>
  fc.oneof(
    { weight: absent, arbitrary: fc.constant(undefined) },
    { weight: 6, arbitrary: right },
    { weight: 1, arbitrary: odd },
  );
const variables = fc.constantFrom('A', '_b1', '1A', 'A-B', '', 'a b');
const request = fc
  .record({
    command: field(fc.array(text, { maxLength: 3 }), 2),
    shell: field(text),
    cwd: field(text),
    env: field(fc.dictionary(variables, text, { maxKeys: 3 })),
    stdin: field(text),
    stdin_base64: field(fc.constantFrom('', 'YQ==', 'YQ', 'a-b_', '=', 'YQ===', 'Y Q=')),
    open_stdin: field(fc.boolean()),
    timeout_seconds: field(fc.constantFrom(0, -1, 0.5, Number.MIN_VALUE, EXEC_SECONDS, EXEC_SECONDS + 1)),
    detach: field(fc.boolean()),
    unknown: field(fc.constant(1), 100),
  })
  // As it arrives: JSON has no undefined.
  .map((fields): unknown => JSON.parse(JSON.stringify(fields)));

test('the two accept the same requests', () => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(request, (given) => {
      const accepted = isAcceptedByManager(given);
      seen[accepted ? 'accepted' : 'refused'] += 1;
      expect(isAcceptedByWrapper(given), JSON.stringify(given).slice(0, 500)).toBe(accepted);
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(50);
});

const many = (count: number) => Array.from({ length: count }, (_, at) => `V${at}`);
test.each<[string, unknown, boolean]>([
  ['as many words as allowed', { command: many(EXEC_ARGUMENT_LIMIT) }, true],
  ['one word more', { command: many(EXEC_ARGUMENT_LIMIT + 1) }, false],
  ['as many variables as allowed', { shell: 'x', env: toEnv(EXEC_ENV_LIMIT) }, true],
  ['one variable more', { shell: 'x', env: toEnv(EXEC_ENV_LIMIT + 1) }, false],
  ['no program', { command: ['', 'x'] }, false],
  ['no command', {}, false],
  ['two commands', { command: ['x'], shell: 'x' }, false],
  ['two inputs', { shell: 'x', stdin: '', open_stdin: true }, false],
  ['an input that is not kept open', { shell: 'x', stdin: '', open_stdin: false }, true],
  ['a list', [], false],
  ['nothing', null, false],
])('%s', (_, given, accepted) => {
  expect([isAcceptedByManager(given), isAcceptedByWrapper(given)]).toEqual([accepted, accepted]);
});

function toEnv(count: number): Record<string, string> {
  return Object.fromEntries(many(count).map((name) => [name, '1']));
}
