import { describe, expect, it } from 'vitest';
import { getAgentKind } from '../../src/agents/index.ts';

const open = () => {
  const dialogue = getAgentKind('CLAUDE').dialogue({ workspace: '/workspace' });
  dialogue.open();
  return dialogue;
};
const result = (more: object) =>
  JSON.stringify({
    type: 'result',
    subtype: 'success',
    is_error: false,
    result: 'ok',
    total_cost_usd: 1,
    ...more,
  });

const INIT = JSON.stringify({ type: 'system', subtype: 'init', session_id: 's' });

describe('turns of Claude Code', () => {
  it('do not end at a second result of the previous turn', () => {
    // Otherwise, every later turn would get the answer of its predecessor.
    const dialogue = open();
    const answers = ['one', 'two', 'three'].map((answer) => {
      dialogue.prompt(answer);
      const late = dialogue.receive(result({ result: 'another of the turn before' }));
      dialogue.receive(INIT);
      return late.ended ?? dialogue.receive(result({ result: answer })).ended;
    });
    expect(answers).toMatchObject([
      { result: 'another of the turn before' },
      { result: 'two' },
      { result: 'three' },
    ]);
  });

  it('do not end at the result of a turn that the agent started itself', () => {
    const dialogue = open();
    dialogue.prompt('one');
    expect(dialogue.receive(result({})).ended).toMatchObject({ ok: true, cost_usd: 1 });
    expect(dialogue.receive(result({ origin: { kind: 'task-notification' }, total_cost_usd: 3 }))).toEqual(
      {},
    );
    dialogue.prompt('two');
    dialogue.receive(INIT);
    expect(dialogue.receive(result({ origin: { kind: 'scheduled-trigger' }, total_cost_usd: 4 }))).toEqual(
      {},
    );
    expect(dialogue.receive(result({ total_cost_usd: 6 })).ended).toMatchObject({ ok: true, cost_usd: 2 });
  });

  it('restart their cost after /clear', () => {
    const dialogue = open();
    dialogue.prompt('one');
    dialogue.receive(result({ total_cost_usd: 5 }));
    dialogue.prompt('/clear');
    dialogue.receive(INIT);
    dialogue.receive(result({ total_cost_usd: 0 }));
    dialogue.prompt('two');
    dialogue.receive(INIT);
    expect(dialogue.receive(result({ total_cost_usd: 5 })).ended).toMatchObject({ cost_usd: 5 });
  });

  it('fail if is_error is set, regardless of the subtype', () => {
    const dialogue = open();
    dialogue.prompt('one');
    const said = result({ is_error: true, result: 'API Error: 529', api_error_status: 529 });
    expect(dialogue.receive(said).ended).toMatchObject({
      ok: false,
      reason: 'overloaded',
      message: 'API Error: 529',
    });
  });

  it.each([
    [{ subtype: 'error_max_turns' }, 'limit'],
    [{ subtype: 'error_max_budget_usd' }, 'limit'],
    [{ api_error_status: 403, result: 'no' }, 'authentication'],
    [{ result: 'Not logged in · Please run /login' }, 'authentication'],
    [{ result: 'Something else' }, 'error'],
    [{ subtype: 'error_during_execution', errors: ['Boom'] }, 'error'],
  ])('fail with a reason: %j', (said, reason) => {
    const dialogue = open();
    dialogue.prompt('one');
    expect(dialogue.receive(result({ is_error: true, result: '', ...said })).ended).toMatchObject({
      ok: false,
      reason,
    });
  });

  it('succeed if they ended before the interrupt arrived', () => {
    const dialogue = open();
    dialogue.prompt('one');
    dialogue.interrupt();
    expect(dialogue.receive(result({})).ended).toMatchObject({ ok: true });
    expect(dialogue.interrupt()).toEqual({});
  });

  it('report a denial once', () => {
    const dialogue = open();
    dialogue.prompt('one');
    const denied = {
      type: 'system',
      subtype: 'permission_denied',
      tool_name: 'Bash',
      tool_use_id: 't',
      message: 'no',
    };
    const answered = {
      type: 'user',
      message: { content: [{ type: 'tool_result', tool_use_id: 't', content: 'no', is_error: true }] },
      tool_result_meta: [{ id: 't', permission_decision: { decision: 'reject' } }],
    };
    const types = [denied, answered].flatMap(
      (line) => dialogue.receive(JSON.stringify(line)).events?.map(({ type }) => type) ?? [],
    );
    expect(types).toEqual(['permission_denied', 'tool_result']);
  });

  it('do not block on a permission request', () => {
    const ask = (subtype: string) =>
      JSON.stringify({
        type: 'control_request',
        request_id: 'q',
        request: { subtype, input: { command: 'ls' } },
      });
    const answer = (subtype: string) => JSON.parse(open().receive(ask(subtype)).write ?? '{}').response;
    expect(answer('can_use_tool')).toMatchObject({
      request_id: 'q',
      subtype: 'success',
      response: { behavior: 'allow', updatedInput: { command: 'ls' } },
    });
    expect(answer('mcp_message')).toMatchObject({ request_id: 'q', subtype: 'error' });
  });

  it('do not emit the output of a subagent', () => {
    const message = { content: [{ type: 'text', text: 'inner' }] };
    const said = { type: 'assistant', parent_tool_use_id: 'toolu_1', message };
    expect(open().receive(JSON.stringify(said)).events).toEqual([]);
  });
});
