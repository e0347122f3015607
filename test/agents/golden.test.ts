import { describe, expect, it } from 'vitest';
import { getAgentKind } from '../../src/agents/index.ts';
import { CASES, isOf } from './cases.ts';
import { readGolden, recorded, replay } from './golden.ts';

const lines = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

for (const [agent, type] of [
  ['claude', 'CLAUDE'],
  ['factory', 'FACTORY'],
  ['codex', 'CODEX'],
] as const) {
  describe(`recorded sessions of ${agent}`, () => {
    it('match the list of cases', () => {
      const named = CASES.filter((each) => isOf(each, agent));
      expect(recorded(agent)).toEqual(named.map(({ name }) => name).sort());
    });

    it.each(recorded(agent))('%s reads as it did', (name) => {
      const { recording, stdin, told } = readGolden(agent, name);
      const again = replay(getAgentKind(type).dialogue, recording);
      expect(again.told).toEqual(told);
      expect(lines(again.stdin)).toEqual(lines(stdin));
    });

    it.each(recorded(agent))('%s: a prompt has one end, and no line is unreadable', (name) => {
      const { recording, told } = readGolden(agent, name);
      const prompts = recording.calls.filter(({ call }) => call === 'prompt').length;
      const ends = told.flatMap(({ ended }) =>
        ended && (ended.ok || ended.reason !== 'session_lost') ? 1 : [],
      );
      expect(ends).toHaveLength(prompts);
      expect(told.filter(({ unreadable }) => unreadable)).toEqual([]);
    });

    it.each(recorded(agent))('%s: each result belongs to one use of a tool, and comes once', (name) => {
      const events = readGolden(agent, name).told.flatMap(({ events }) => events ?? []);
      const ids = (type: string) =>
        events.flatMap((event) => (event.type === type && 'tool_use_id' in event ? event.tool_use_id : []));
      expect(ids('tool_result').sort()).toEqual(ids('tool_use').sort());
    });
  });
}

describe('what an orchestrator receives', () => {
  const ends = (agent: string, name: string) =>
    readGolden(agent, name).told.flatMap(({ ended }) =>
      ended ? [ended.ok ? ended.result : ended.reason] : [],
    );

  it.each([
    ['claude', 'three-turns', ['I am here.', 'The tree is clean.', 'Prompts so far: 3.']],
    ['factory', 'three-turns', ['I am here.', 'The tree is clean.', 'Prompts so far: 3.']],
    ['claude', 'interrupt-streaming', ['interrupted', 'Prompts so far: 2.']],
    ['factory', 'interrupt-streaming', ['interrupted', 'Prompts so far: 2.']],
    ['claude', 'interrupt-tool', ['interrupted', 'Prompts so far: 2.']],
    ['factory', 'interrupt-tool', ['interrupted', 'Prompts so far: 2.']],
    ['claude', 'interrupt-at-once', ['interrupted', 'Prompts so far: 2.']],
    ['factory', 'interrupt-at-once', ['interrupted', 'Prompts so far: 2.']],
    ['claude', 'overloaded', ['overloaded']],
    ['claude', 'rate-limited', ['rate_limited']],
    ['factory', 'rate-limited', ['rate_limited']],
    ['claude', 'server-error', ['server_error']],
    ['claude', 'unreachable', ['connection']],
    ['claude', 'cut', ['connection']],
    ['claude', 'unauthorized', ['authentication', 'Again.']],
    ['factory', 'unauthorized', ['authentication', 'Again.']],
    ['claude', 'bad-request', ['invalid_request']],
    ['factory', 'bad-request', ['invalid_request']],
    ['claude', 'refusal', ['refused', 'Prompts so far: 2.']],
    ['factory', 'refusal', ['refused', 'Prompts so far: 2.']],
    ['claude', 'resumed', ['Prompts so far: 2.']],
    ['factory', 'resumed', ['Prompts so far: 2.']],
    ['claude', 'unknown-session', ['session_lost']],
    ['factory', 'unknown-session', ['session_lost', 'Prompts so far: 1.']],
    ['claude', 'overloaded-recovers', ['Late, but here.']],
    ['factory', 'overloaded-recovers', ['Late, but here.']],
    ['claude', 'max-tokens', ['The rest.']],
    ['factory', 'max-tokens', ['The rest.']],
    ['codex', 'three-turns', ['I am here.', 'The tree is clean.', 'Prompts so far: 3.']],
    ['codex', 'interrupt-streaming', ['interrupted', 'Prompts so far: 2.']],
    ['codex', 'interrupt-tool', ['interrupted', 'Prompts so far: 2.']],
    ['codex', 'interrupt-at-once', ['interrupted', 'Prompts so far: 2.']],
    ['codex', 'overloaded', ['overloaded']],
    ['codex', 'rate-limited', ['rate_limited']],
    ['codex', 'server-error', ['server_error']],
    ['codex', 'unreachable', ['connection']],
    ['codex', 'cut', ['connection']],
    ['codex', 'unauthorized', ['authentication', 'Again.']],
    ['codex', 'bad-request', ['invalid_request']],
    ['codex', 'refusal', ['refused', 'Prompts so far: 2.']],
    ['codex', 'resumed', ['Prompts so far: 2.']],
    ['codex', 'unknown-session', ['session_lost', 'Prompts so far: 1.']],
    ['codex', 'overloaded-recovers', ['Late, but here.']],
    ['codex', 'max-tokens', ['limit']],
  ])('%s, %s', (agent, name, expected) => {
    expect(ends(agent, name)).toEqual(expected);
  });

  it.each(['claude', 'factory', 'codex'])('a denied command of %s, with its reason', (agent) => {
    const denials = readGolden(agent, 'refused').told.flatMap(
      ({ events }) => events?.filter(({ type }) => type === 'permission_denied') ?? [],
    );
    expect(denials).toEqual([
      expect.objectContaining({
        content: 'curl is not in allowed_commands',
        tool_use_id: expect.any(String),
      }),
    ]);
  });

  it('the cost of a turn of Claude Code, not of the session', () => {
    const costs = readGolden('claude', 'three-turns').told.flatMap(({ ended }) =>
      ended ? [ended.cost_usd] : [],
    );
    expect(costs).toEqual([0.0008, 0.0016, 0.0008]);
  });

  it('no cost if the total may include an earlier process', () => {
    const [end] = readGolden('claude', 'resumed').told.flatMap(({ ended }) => ended ?? []);
    expect(end).not.toHaveProperty('cost_usd');
  });
});
