import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inputMessage } from '../../../src/model/messages/message.ts';
import { TEXT_LIMIT } from '../../../src/model/values/limits.ts';
import { readMessage } from '../../../worker-base/streams/input-message.ts';

test('the wrapper reads an input as the model does, and names the same fields', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('x'.repeat(128), 'x'.repeat(129), 'x'.repeat(TEXT_LIMIT), 'x'.repeat(TEXT_LIMIT + 1)),
  );
  const value = fc.oneof(text, fc.constantFrom(null, true, 0, -1, 0.5, 604_800, 604_801, [], {}));
  const given = fc.oneof(
    { weight: 1, arbitrary: fc.jsonValue() },
    {
      weight: 9,
      arbitrary: fc.record(
        {
          type: fc.oneof(
            { weight: 9, arbitrary: fc.constantFrom('prompt', 'interrupt', 'shutdown') },
            { weight: 1, arbitrary: value },
          ),
          content: fc.oneof({ weight: 3, arbitrary: text }, { weight: 1, arbitrary: value }),
          request_id: value,
          deadline_seconds: value,
          other: value,
        },
        { requiredKeys: ['type'] },
      ),
    },
  );
  fc.assert(
    fc.property(given, (input) => {
      const data = JSON.stringify(input);
      const model = inputMessage.safeParse(JSON.parse(data));
      const own = readMessage(data);
      expect(own.ok).toBe(model.success);
      if (own.ok || model.success) return;
      const paths = model.error.issues.flatMap((issue) =>
        issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.')],
      );
      expect(own.issues.map(({ path }) => path).sort()).toEqual(paths.sort());
    }),
    { numRuns: 1000 },
  );
});

test.each([
  undefined,
  '',
  'no json',
  '[]',
  'null',
  '"prompt"',
  '{"type":"constructor"}',
  '{"type":"prompt","content":"","__proto__":1}',
])('%s is refused', (data) => {
  expect(readMessage(data)).toMatchObject({ ok: false, issues: [{}] });
});
