import { describe, expect, it } from 'vitest';
import { getAgentKind } from '../../src/agents/index.ts';

const rpc = (message: object) => JSON.stringify({ jsonrpc: '2.0', factoryApiVersion: '1.0.0', ...message });
const notice = (notification: object) =>
  rpc({ type: 'notification', method: 'droid.session_notification', params: { notification } });

/** A session with an active prompt, whose message ID Droid has reported. */
function prompted() {
  const dialogue = getAgentKind('FACTORY').dialogue({ workspace: '/workspace' });
  const begin = JSON.parse(dialogue.open().write ?? '{}');
  dialogue.receive(rpc({ type: 'response', id: begin.id, result: { sessionId: 's' } }));
  const { id } = JSON.parse(dialogue.prompt('one').write ?? '{}');
  const message = { id: 'mine', role: 'user', content: [] };
  dialogue.receive(notice({ type: 'create_message', requestId: id, message }));
  return { dialogue, id };
}
const completed = (more: object) => notice({ type: 'agent_turn_completed', reason: 'completed', ...more });

describe('turns of Droid', () => {
  it("are not ended by another's end", () => {
    const { dialogue } = prompted();
    expect(dialogue.receive(completed({ turnId: 'of a subagent' }))).toEqual({});
    expect(dialogue.receive(completed({ turnId: 'mine' })).ended).toMatchObject({ ok: true });
    expect(dialogue.receive(completed({ turnId: 'mine' }))).toEqual({});
  });

  it('fail if they are not accepted', () => {
    const { dialogue, id } = prompted();
    const answer = rpc({ type: 'response', id, error: { code: -32603, message: 'No active session.' } });
    expect(dialogue.receive(answer).ended).toEqual({
      ok: false,
      reason: 'error',
      message: 'No active session.',
    });
  });

  it.each([
    ['model_rate_limited', '', 'rate_limited'],
    ['model_usage_exhausted', '', 'limit'],
    ['model_provider_unreachable', '', 'connection'],
    ['model_provider_unavailable', '529 {"type":"error"}', 'overloaded'],
    ['model_provider_unavailable', '', 'server_error'],
    ['model_request_rejected', '400 {"type":"error"}', 'invalid_request'],
    ['model_request_rejected', '', 'refused'],
    ['model_authentication_failed', '', 'authentication'],
    ['news_of_a_later_version', '', 'error'],
  ])('fail with a reason: %s %s', (reason, message, expected) => {
    const { dialogue } = prompted();
    dialogue.receive(notice({ type: 'error', message }));
    expect(dialogue.receive(completed({ reason })).ended).toMatchObject({ ok: false, reason: expected });
  });

  it('do not block on a permission request', () => {
    const { dialogue } = prompted();
    const ask = (method: string) =>
      JSON.parse(dialogue.receive(rpc({ type: 'request', id: 'q', method, params: {} })).write ?? '{}');
    expect(ask('droid.request_permission')).toMatchObject({
      id: 'q',
      result: { selectedOption: 'proceed_once' },
    });
    expect(ask('droid.ask_user')).toMatchObject({ id: 'q', error: { code: -32601 } });
  });
});
