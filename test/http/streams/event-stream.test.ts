import { expect, test } from 'vitest';
import { type SourceEnd, type SourceEntry, toEvents } from '../../../src/http/streams/event-stream.ts';

async function collect(source: AsyncIterable<SourceEntry[] | SourceEnd>): Promise<string> {
  let text = '';
  for await (const part of toEvents(source, new AbortController().signal)) text += part;
  return text;
}

test('entries are events with their IDs and types, whatever they contain', async () => {
  async function* source(): AsyncGenerator<SourceEntry[] | SourceEnd> {
    yield [
      { id: '1-0', data: '{"type": "stdout",\n"content": "a\\nb"}' },
      { id: '2-0', data: 'not JSON\nid: 9-9' },
      { id: '3-0', data: '{"type": "x\\ny"}' },
      { id: '4-0', data: 'null' },
    ];
    yield { end: { status: 'FAILED' } };
  }
  expect(await collect(source())).toBe(
    [
      'retry: 1000',
      'id: 1-0\nevent: stdout\ndata: {"type": "stdout", "content": "a\\nb"}',
      'id: 2-0\nevent: message\ndata: "not JSON\\nid: 9-9"',
      'id: 3-0\nevent: message\ndata: {"type": "x\\ny"}',
      'id: 4-0\nevent: message\ndata: "null"',
      'event: end\ndata: {"status":"FAILED"}',
      '',
    ].join('\n\n'),
  );
});

test('a silent source is kept alive by comments, and ends with its signal', async () => {
  const gone = new AbortController();
  async function* silent(): AsyncGenerator<SourceEntry[]> {
    await new Promise<void>((resolve) => gone.signal.addEventListener('abort', () => resolve()));
    yield* [];
  }
  const parts: string[] = [];
  for await (const part of toEvents(silent(), gone.signal, 5)) {
    parts.push(part);
    if (parts.length === 3) gone.abort();
  }
  expect(parts).toEqual(['retry: 1000\n\n', ': nothing new\n\n', ': nothing new\n\n']);
});

test('many readers share the text of an entry', async () => {
  const entries: SourceEntry[] = [{ id: '1-0', data: '{"type":"stdout"}' }];
  async function* source(): AsyncGenerator<SourceEntry[]> {
    yield entries;
  }
  const first = await collect(source());
  expect(entries[0]?.event).toBe('id: 1-0\nevent: stdout\ndata: {"type":"stdout"}\n\n');
  expect(await collect(source())).toBe(first);
});

test('a stream whose client read nothing for long is kept alive afterwards', async () => {
  const gone = new AbortController();
  async function* silent(): AsyncGenerator<SourceEntry[]> {
    yield [{ id: '1-0', data: '{}' }];
    await new Promise<void>((resolve) => gone.signal.addEventListener('abort', () => resolve()));
  }
  const parts: string[] = [];
  for await (const part of toEvents(silent(), gone.signal, 5)) {
    parts.push(part);
    // Longer than the interval of the comments.
    if (parts.length === 2) await new Promise((resolve) => setTimeout(resolve, 20));
    if (parts.length === 3) gone.abort();
  }
  expect(parts.at(-1)).toBe(': nothing new\n\n');
});
