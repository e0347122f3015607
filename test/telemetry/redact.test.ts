import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactEntry, redactJson, redactText, redactUrl } from '../../src/telemetry/redact.ts';

test.each([
  ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
  ['redis://user:pass@host:6379/0', 'redis://***@host:6379/0'],
  ['redis://:pass@host', 'redis://***@host'],
  ['https://token@host/path', 'https://***@host/path'],
  ['redis://user:p@ss/w:rd#?@host:1', 'redis://***@host:1'],
  ['rediss://host?password=hunter2&db=1', 'rediss://host?password=***&db=1'],
  ['user:pass@host', '***@host'],
  ['redis:/u:p@host', '***@host'],
  ['', ''],
])('redactUrl %s', (url, bare) => {
  expect(redactUrl(url)).toBe(bare);
});

test.each([
  ['nothing here', 'nothing here'],
  // The example was shown as `rediss://***@HOST:PORT/DB`, which says less than nothing.
  [
    'such as rediss://USER:PASSWORD@HOST:PORT/DB, where',
    'such as rediss://USER:PASSWORD@HOST:PORT/DB, where',
  ],
  ['rediss://USER:PASSWORDS@HOST', 'rediss://***@HOST'],
  ['mail a@b.example', 'mail a@b.example'],
  [
    'connect redis://u:p@h failed, and redis://u:q@h too',
    'connect redis://***@h failed, and redis://***@h too',
  ],
  ['a\tredis://u:p@h\nb', 'a\tredis://***@h\nb'],
  ['redis://a:p1@h,redis://b:p2@i', 'redis://***@i'],
  ['see http://h/?token=abc&x=1', 'see http://h/?token=***&x=1'],
])('redactText %s', (text, bare) => {
  expect(redactText(text)).toBe(bare);
});

test('given secrets are hidden wherever they occur; an empty one hides nothing', () => {
  expect(redactText('AUTH hunter2 (hunter2)', ['hunter2', ''])).toBe('AUTH *** (***)');
});

test('a JSON text stays JSON and keeps all that is not secret', () => {
  const value = fc.record({
    url: fc.string().map((end) => `redis://user:hunter2@host ${end}`),
    text: fc.string({ unit: 'binary' }),
    list: fc.array(fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))),
  });
  fc.assert(
    fc.property(value, (given) => {
      fc.pre(!`${given.text}${given.list}`.includes('://'));
      const bare = JSON.parse(redactJson(JSON.stringify(given)));
      expect(JSON.stringify(bare)).not.toContain('hunter2');
      expect({ ...bare, url: '' }).toEqual({ ...given, url: '' });
    }),
  );
});

test('a secret with quotes and line ends is hidden in JSON', () => {
  const secret = 'a"b\nc\\';
  expect(JSON.parse(redactJson(JSON.stringify({ x: `<${secret}>` }), [secret]))).toEqual({ x: '<***>' });
});

test.each(['a', '://', 'a://', '@', '"', '\\"', '?key='])('a megabyte of %s is read in one go', (piece) => {
  const text = piece.repeat(1_000_000 / piece.length);
  expect(redactText(text).length).toBeLessThanOrEqual(text.length + 6);
  expect(typeof redactJson(JSON.stringify(text))).toBe('string');
});

test.each([
  [
    '{"command":"create","env":{"A":"plain words","B":5}}',
    '{"command":"create","env":{"A":"***","B":"***"}}',
  ],
  ['{"env": {"ANTHROPIC_API_KEY": "sk-ant-api03-abcdefgh"', '{"env": {"ANTHROPIC_API_KEY": "***"'],
  ['ANTHROPIC_API_KEY=hunter2 and ghp_0123456789abcdef', 'ANTHROPIC_API_KEY=*** and ***'],
  ['{"env": "MY_PASSWORD: x"}', '{"env":"***"}'],
  ['{"name": "keyboard", "prompt": "see"}', '{"name": "keyboard", "prompt": "see"}'],
])('an entry that is put aside, %s, keeps no credential', (entry, kept) => {
  expect(redactEntry(entry)).toBe(kept);
});
