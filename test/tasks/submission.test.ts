import { expect, test } from 'vitest';
import { Fault } from '../../src/model/values/fault.ts';
import { readSubmission } from '../../src/tasks/submission.ts';

const submission = (payload: string) => JSON.parse(`{"payload":${payload}}`) as unknown;
const refusal = (given: unknown) => {
  try {
    readSubmission(given);
  } catch (error) {
    if (error instanceof Fault) return error.issues;
    throw error;
  }
  throw new Error('It was not refused.');
};

// The function got another number than was sent, or an argument less.
test.each([
  ['{"function":"f","args":[1,{"id":9007199254740993}]}', 'payload.args[1].id', /beyond 2\^53 - 1/],
  ['{"function":"f","kwargs":{"n":-12345678901234567890}}', 'payload.kwargs.n', /beyond 2\^53 - 1/],
  ['{"function":"f","args":[1e999]}', 'payload.args[0]', /JSON cannot represent/],
  ['{"function":"f","kwargs":{"__proto__":{"a":1}}}', 'payload.kwargs.__proto__', /readers drop/],
  ['{"function":"f","args":[{"a":[{"__proto__":1}]}]}', 'payload.args[0].a[0].__proto__', /readers drop/],
])('%s is refused with the place', (payload, path, message) => {
  expect(refusal(submission(payload))).toEqual([{ path, message: expect.stringMatching(message) }]);
});

test('arguments that are nested too deeply are rejected, at any depth', () => {
  for (const depth of [600, 100_000]) {
    let deep: unknown = 0;
    for (let at = 0; at < depth; at += 1) deep = [deep];
    expect(refusal({ payload: { function: 'f', args: [deep] } })).toEqual([
      { path: expect.stringMatching(/^payload\.args/), message: expect.stringMatching(/nested too deeply/) },
    ]);
  }
});

test('values that JSON represents exactly are accepted', () => {
  const args = [2 ** 53 - 1, -(2 ** 53 - 1), 1e300, 0.1, 'ä', null, { constructor: 1, toString: 2 }];
  expect(readSubmission({ payload: { function: 'größe.λ_1', args } }).payload).toEqual({
    function: 'größe.λ_1',
    args,
  });
});

test.each(['do it', '2fa.send', '', '.a', 'a.', 'a..b', 'a\nb'])('no function is named %j', (name) => {
  expect(refusal({ payload: { function: name } })).toHaveLength(1);
});
