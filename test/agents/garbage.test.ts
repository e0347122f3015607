import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { customJson, customLines } from '../../src/agents/custom.ts';
import type { OpenDialogue } from '../../src/agents/dialogue.ts';
import { getAgentKind } from '../../src/agents/index.ts';
import { parseObject } from '../../src/agents/json.ts';
import { type Call, readGolden, recorded, replay } from './golden.ts';

const DIALOGUES: [string, OpenDialogue, string[]][] = [
  ['claude', getAgentKind('CLAUDE').dialogue, linesOf('claude')],
  ['factory', getAgentKind('FACTORY').dialogue, linesOf('factory')],
  ['codex', getAgentKind('CODEX').dialogue, linesOf('codex')],
  ['json lines', customJson.dialogue, OURS()],
];

function linesOf(agent: string): string[] {
  return recorded(agent).flatMap((name) => readGolden(agent, name).recording.stdout);
}

function OURS(): string[] {
  return [
    { type: 'message', content: 'Hello.' },
    { type: 'tool_use', tool_use_id: '1', tool: 'sh', input: { command: 'ls' } },
    { type: 'tool_result', tool_use_id: '1', content: 'a', is_error: false },
    { type: 'turn_completed', id: '1', result: 'Hello.', usage: { input_tokens: 1, output_tokens: 2 } },
    { type: 'turn_failed', message: 'No.', reason: 'refused' },
  ].map((line) => JSON.stringify(line));
}

/** A real line with one of its values, at any depth, replaced or removed. */
const damaged = (lines: string[]) =>
  fc
    .tuple(fc.constantFrom(...lines), fc.nat(), fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }))
    .map(([line, place, value]) => {
      const root = JSON.parse(line);
      const places: [Record<string, unknown>, string][] = [];
      const walk = (node: unknown) => {
        if (typeof node !== 'object' || node === null) return;
        for (const key of Object.keys(node)) {
          places.push([node as Record<string, unknown>, key]);
          walk((node as Record<string, unknown>)[key]);
        }
      };
      walk(root);
      const [node, key] = places[place % places.length] ?? [root, 'type'];
      if (value === undefined) delete node[key];
      else node[key] = value;
      return JSON.stringify(root);
    });

describe.each(DIALOGUES)('malformed output of %s', (_name, open, real) => {
  const anyLine = fc.oneof(
    { weight: 3, arbitrary: damaged(real) },
    fc.constantFrom(...real),
    fc.string(),
    fc.json(),
  );
  const call = fc.constantFrom<Call[]>(
    [{ heard: 0, call: 'open' }],
    [
      { heard: 0, call: 'open' },
      { heard: 1, call: 'prompt', content: 'x' },
    ],
    [
      { heard: 0, call: 'open' },
      { heard: 1, call: 'prompt', content: 'x' },
      { heard: 2, call: 'interrupt' },
    ],
  );

  // Serializing it again threw a RangeError, which ended the wrapper; unclosed, parsing took a hundred times
  // its memory.
  it.each([
    ['closed', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['unclosed', '{"a":'.repeat(1_000_000)],
  ])('is not a message of the protocol if it is nested very deep (%s)', (_, deep) => {
    for (const line of real.slice(-5)) {
      const nested = `${line.slice(0, -1)},"input":${deep}}`;
      expect(parseObject(nested)).toBeUndefined();
      expect(open({ workspace: '/', session: undefined }).receive(nested)).toEqual({ unreadable: true });
    }
  });

  it('is evicted if it is announced and never ends', () => {
    const dialogue = open({ workspace: '/', session: undefined });
    dialogue.open();
    dialogue.prompt('x');
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < 3000; at += 1) {
      const id = `${'i'.repeat(20_000)}${at}`;
      const use = { type: 'tool_use', id, name: 'n'.repeat(20_000), input: {} };
      dialogue.receive(JSON.stringify({ type: 'assistant', message: { content: [use] } }));
      dialogue.receive(JSON.stringify({ type: 'tool_use', tool_use_id: id, tool: use.name }));
      const message = { role: 'assistant', content: [use] };
      const notification = { type: 'create_message', message };
      dialogue.receive(JSON.stringify({ jsonrpc: '2.0', params: { notification } }));
      const delta = { type: 'assistant_text_delta', messageId: id, textDelta: use.name };
      dialogue.receive(JSON.stringify({ jsonrpc: '2.0', params: { notification: delta } }));
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000);
  });

  it('never throws, whichever field is missing or wrong', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 12 }), call, fc.boolean(), (stdout, calls, resumed) => {
        const { told, stdin } = replay(open, { stdout, calls, ...(resumed && { session: 'earlier' }) });
        for (const line of stdin.split('\n').filter(Boolean)) JSON.parse(line);
        for (const { events = [], session, ended } of told) {
          for (const event of events) expect(typeof event.content).toBe('string');
          expect(['string', 'undefined']).toContain(typeof session);
          if (ended && !ended.ok) expect(ended.message).not.toBe('');
        }
      }),
      { numRuns: 400 },
    );
  });

  it.each(['', 'Segmentation fault', '{"type":', '[1]', 'null', '"text"', '{}'])(
    'calls %j unreadable',
    (line) => {
      expect(open({ workspace: '/workspace' }).receive(line)).toEqual({ unreadable: true });
    },
  );

  it('ignores an unknown type', () => {
    const line = JSON.stringify({
      jsonrpc: '2.0',
      method: 'news',
      type: 'news_of_a_later_version',
      content: {},
    });
    expect(open({ workspace: '/workspace' }).receive(line)).toEqual({});
  });
});

describe('huge lines', () => {
  const text = 'x'.repeat(8_000_000);

  it('are read completely', () => {
    const claude = getAgentKind('CLAUDE').dialogue({ workspace: '/workspace' });
    const said = { type: 'assistant', message: { content: [{ type: 'text', text }] } };
    expect(claude.receive(JSON.stringify(said)).events).toEqual([{ type: 'message', content: text }]);
  });

  it('are unreadable if they are truncated', () => {
    const claude = getAgentKind('CLAUDE').dialogue({ workspace: '/workspace' });
    expect(claude.receive(JSON.stringify({ type: 'assistant', text }).slice(0, -10))).toEqual({
      unreadable: true,
    });
  });
});

describe('plain lines', () => {
  it('are emitted unchanged', () => {
    const dialogue = customLines.dialogue({ workspace: '/workspace' });
    expect(dialogue.open()).toEqual({ ready: true });
    expect(dialogue.prompt('a\nb')).toEqual({ write: 'a\nb\n' });
    expect(dialogue.receive('{"type":"message"}')).toEqual({ unreadable: true });
  });
});

it('a byte order mark before a line of JSON is ignored', () => {
  expect(parseObject('\uFEFF{"type": "message"}\r')).toEqual({ type: 'message' });
});
