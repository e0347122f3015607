import { expect, test } from 'vitest';
import { LineReader } from '../../../worker-base/agent/line-reader.ts';
import { LINE_BYTES } from '../../../worker-base/streams/limits.ts';
import { cut, toEntryContent, toTurnEndContent } from '../../../worker-base/turns/turn-entries.ts';

test('a text is cut between characters, and marked as cut', () => {
  expect(cut('short', 100)).toEqual({ text: 'short', truncated: false });
  expect(cut('ééé', 6)).toEqual({ text: 'ééé', truncated: false });
  expect(cut('éééé', 7)).toEqual({ text: 'ééé', truncated: true });
  expect(cut('€'.repeat(100), 10).text).toBe('€€€');
  // An agent's JSON may hold half a character; not every reader of the stream can write it out again.
  expect(cut(JSON.parse('"a\\ud83d"'), 100).text).toBe('a\ufffd');
});

test('an input that is too large for an entry is reported as the beginning of its JSON', () => {
  const input = { content: 'x'.repeat(100_000) };
  const { fields } = toEntryContent({
    type: 'tool_use',
    content: 'Write a',
    tool: 'Write',
    tool_use_id: 't',
    input,
  });
  expect(fields).toMatchObject({ truncated: true, tool: 'Write' });
  expect(fields.input).toMatch(/^\{"content":"x+$/);
});

test('the end of a turn', () => {
  const usage = { input_tokens: 1, output_tokens: 2 };
  expect(toTurnEndContent({ ok: true, result: 'yes', usage, cost_usd: 0 }, 1.23456, 's')).toEqual({
    type: 'turn_completed',
    content: 'yes',
    fields: { result: 'yes', usage, cost_usd: 0, duration_seconds: 1.235, session_id: 's' },
  });
  expect(toTurnEndContent({ ok: false, reason: 'silent', message: 'no' }, 1, undefined)).toEqual({
    type: 'turn_failed',
    content: 'no',
    fields: { reason: 'silent', duration_seconds: 1 },
  });
});

test('lines of a protocol come whole, however they are read, and an endless one is cut', () => {
  const reader = new LineReader();
  const text = ['one', '', 'zwei €', 'x'.repeat(100_000)].join('\n');
  const bytes = Buffer.from(text);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 7)
    lines.push(...reader.push(bytes.subarray(at, at + 7)).map((line) => line.text));
  lines.push(...reader.flush().map((line) => line.text));
  expect(lines.join('\n')).toBe(text);
  const chunk = Buffer.alloc(LINE_BYTES / 4, 'y');
  for (let at = 0; at < 6; at += 1) expect(reader.push(chunk)).toEqual([]);
  const [long, next] = reader.push(Buffer.from('\nnext\n'));
  expect(long).toMatchObject({ cut: true });
  expect(long?.text.length).toBe(65_536);
  expect(next).toEqual({ text: 'next', cut: false });
});
