import { expect, test } from 'vitest';
import { readableLine, readableMessage } from '../../src/model/messages/log-line.ts';

const line = JSON.stringify({
  level: 'error',
  time: 'now',
  msg: 'it failed',
  worker_id: 'w',
  incarnation: 1,
});

// A status said: It exited with code 127. Its last output: {"level":"error","time":…
test.each([
  ['a log line', line, 'it failed'],
  [
    'a log line with its error',
    line.replace('"worker_id"', '"error":"no\\nstack","worker_id"'),
    'it failed: no',
  ],
  ['plain text', 'cannot find {x}', 'cannot find {x}'],
  ['JSON of another program', '{"a":1}', '{"a":1}'],
  ['half a log line', line.slice(0, -3), line.slice(0, -3)],
])('%s is read by people as what it says', (_, given, told) => {
  expect(readableLine(given)).toBe(told);
});

test('a message that an earlier version stored is made readable', () => {
  expect(readableMessage(`It exited. Its last output: ${line}`)).toBe(
    'It exited. Its last output: it failed',
  );
  expect(readableMessage('It exited.')).toBe('It exited.');
  expect(readableMessage('{"level": }')).toBe('{"level": }');
});
