import { describe, expect, test } from 'vitest';
import { workerMachine } from '../../machines/worker.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { look, memoOf } from '../reconcile/observation.ts';
import { SITUATIONS, STATES } from '../reconcile/situations.ts';

interface Rule {
  guard: string;
  target?: string;
  actions: (string | { type: string; params?: { name?: string } })[];
}
interface Node {
  on?: { observed: Rule[] };
  states?: Record<string, Node>;
}

/** Every state without states of its own, as `RUNNING.ready`, with its rules in their order. */
function leaves(node: Node, path: string[] = []): [string, Rule[]][] {
  if (!node.states) return [[path.join('.'), node.on?.observed ?? []]];
  return Object.entries(node.states).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}
const states = leaves(workerMachine.config as unknown as Node);
const nameOf = (value: unknown) =>
  typeof value === 'string' ? value : Object.entries(value as object)[0]?.join('.');

/** What happens to every situation in that state: the rule that applied, and where it leads. */
const applied = (state: string) =>
  Object.entries(SITUATIONS).map(([situation, given]) => {
    const { value, context } = STATES[state] ?? {};
    const { rule, memo } = decide(look({ ...given, memo: memoOf(value, context) }));
    return { situation, rule, next: nameOf(memo.value) };
  });

test('the tables of the tests know every state of the machine', () => {
  expect(Object.keys(STATES).sort()).toEqual(states.map(([name]) => name).sort());
});

test('every guard is used, and every used guard exists', () => {
  const used = new Set(states.flatMap(([, rules]) => rules.map(({ guard }) => guard)));
  expect([...used].sort()).toEqual(Object.keys(workerMachine.implementations.guards).sort());
});

test('every state can be reached from the two initial ones, by situations of the tables', () => {
  const reached = new Set(['STARTING.creating', 'RUNNING.assigned']);
  for (const state of reached) for (const { next } of applied(state)) if (next) reached.add(next);
  expect([...reached].sort()).toEqual(Object.keys(STATES).sort());
});

describe.each(states)('%s', (state, rules) => {
  test('first checks whether the observation is conclusive, and has a rule for every observation', () => {
    const guards = rules.map(({ guard }) => guard);
    expect(guards.slice(0, 2)).toEqual(['blind', 'ambiguous']);
    expect(guards.at(-1)).toBe('otherwise');
    expect(new Set(guards).size).toBe(guards.length);
  });

  test('names each rule by its guard, which `explain` and the history show', () => {
    for (const { guard, actions } of rules) {
      const named = actions.filter((action) => typeof action === 'object' && action.type === 'rule');
      expect(named).toEqual([{ type: 'rule', params: { name: guard } }]);
    }
  });

  test('has no rule that the golden table does not use', () => {
    const seen = new Set(applied(state).map(({ rule }) => rule));
    expect(rules.map(({ guard }) => guard).filter((guard) => !seen.has(guard))).toEqual([]);
  });

  test('has an explicit rule for every situation, and does nothing without an observation', () => {
    for (const [situation, given] of Object.entries(SITUATIONS)) {
      const { value, context } = STATES[state] ?? {};
      const memo = memoOf(value, context);
      const decision = decide(look({ ...given, memo }));
      if (given.actual?.kind !== 'unknown' && given.actual?.kind !== 'ambiguous') continue;
      expect(decision.intents, situation).toEqual([]);
      expect(decision.memo, situation).toEqual(memo);
      expect(decision.requeue_after_ms, situation).toBeGreaterThan(0);
    }
  });
});
