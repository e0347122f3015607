/** Behavior of Codex that the recorded sessions do not cover. */
import { describe, expect, it } from 'vitest';
import { parseToolItem } from '../../src/agents/codex-tools.ts';
import { getAgentKind } from '../../src/agents/index.ts';
import { unquoteShellWord } from '../../src/agents/shell-word.ts';

const line = (message: object) => JSON.stringify(message);

/** A dialogue with the active turn `t1` of the thread `a`. */
function inTurn() {
  const dialogue = getAgentKind('CODEX').dialogue({ workspace: '/workspace', session: 'a' });
  dialogue.open();
  dialogue.receive(line({ id: 1, result: {} }));
  dialogue.receive(line({ id: 2, result: { data: [] } }));
  expect(dialogue.receive(line({ id: 3, result: { thread: { id: 'a' } } }))).toEqual({ ready: true });
  dialogue.prompt('Hello');
  dialogue.receive(line({ id: 4, result: { turn: { id: 't1' } } }));
  const told = (method: string, params: object) =>
    dialogue.receive(line({ method, params: { threadId: 'a', turnId: 't1', ...params } }));
  return { dialogue, told };
}

const command = { type: 'commandExecution', id: 'c1', command: "/bin/bash -c 'echo hi'" };

describe('Codex', () => {
  it('trusts the hook in its own configuration, but not a project’s', () => {
    const dialogue = getAgentKind('CODEX').dialogue({ workspace: '/workspace' });
    dialogue.open();
    dialogue.receive(line({ id: 1, result: {} }));
    const hook = { key: 'own', source: 'user', currentHash: 'sha256:1', trustStatus: 'untrusted' };
    const hooks = [hook, { ...hook, key: 'theirs', source: 'project' }];
    const { write = '' } = dialogue.receive(line({ id: 2, result: { data: [{ hooks }] } }));
    expect(JSON.parse(write).params.edits).toEqual([
      { keyPath: 'hooks.state', value: { own: { trusted_hash: 'sha256:1' } }, mergeStrategy: 'upsert' },
    ]);
    const refused = dialogue.receive(line({ id: 3, error: { message: 'read-only' } }));
    expect(refused).toEqual({
      events: [expect.objectContaining({ content: expect.stringMatching(/read-only/) })],
    });
  });

  it('lets a command outlive its turn, but ends it if the turn is interrupted', () => {
    for (const interrupted of [false, true]) {
      const { dialogue, told } = inTurn();
      told('item/started', { item: command });
      if (interrupted) expect(dialogue.interrupt().write).toContain('turn/interrupt');
      const status = interrupted ? 'interrupted' : 'completed';
      const { events, ended, write } = told('turn/completed', { turn: { id: 't1', status } });
      expect(events).toMatchObject([{ type: 'tool_result', tool_use_id: 'c1', is_error: interrupted }]);
      expect(ended?.ok).toBe(!interrupted);
      expect(write === undefined).toBe(!interrupted);
      expect(told('item/completed', { item: { ...command, status: 'completed' } })).toEqual({});
    }
  });

  it('ignores other conversations and earlier turns', () => {
    const { told } = inTurn();
    expect(told('item/started', { item: command, threadId: 'b' })).toEqual({});
    expect(told('item/started', { item: command, turnId: 't0' })).toEqual({});
    expect(told('turn/completed', { turn: { id: 't0', status: 'completed' }, turnId: undefined })).toEqual(
      {},
    );
  });

  it('approves permission requests, and answers no other request', () => {
    const { dialogue } = inTurn();
    const asked = (method: string) =>
      JSON.parse(dialogue.receive(line({ id: 7, method, params: {} })).write ?? '');
    expect(asked('item/commandExecution/requestApproval')).toMatchObject({
      id: 7,
      result: { decision: 'accept' },
    });
    expect(asked('item/tool/requestUserInput')).toMatchObject({ id: 7, error: { code: -32_601 } });
  });
});

describe('Codex tools', () => {
  it.each([
    [{ ...command, status: 'completed', exitCode: 0, aggregatedOutput: 'hi\n' }, 'echo hi', 'hi\n'],
    [{ ...command, status: 'failed', exitCode: 126, aggregatedOutput: 'no' }, 'echo hi', 'Exit code 126\nno'],
    [{ type: 'fileChange', changes: [{ path: 'a' }, { path: 'b' }] }, 'apply_patch a b', 'Done.'],
    [
      { type: 'mcpToolCall', server: 's', tool: 't', result: { content: [{ type: 'text', text: 'r' }] } },
      'mcp__s__t',
      'r',
    ],
    [{ type: 'webSearch', query: 'q' }, 'web_search q', ''],
  ])('%j', (item, content, result) => {
    expect(parseToolItem(item)).toMatchObject({ content, result: { content: result } });
  });

  it('are all items except messages and reasoning', () => {
    expect(parseToolItem({ type: 'reasoning' })).toBeUndefined();
  });

  it.each([
    ["'a b'", 'a b'],
    [`'it'\\''s'`, "it's"],
    [`"it's \\$5"`, "it's $5"],
    ['plain', 'plain'],
  ])('a command %s was %s', (word, plain) => {
    expect(unquoteShellWord(word)).toBe(plain);
  });
});
