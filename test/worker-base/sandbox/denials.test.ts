import { expect, test } from 'vitest';
import { Denials } from '../../../worker-base/sandbox/denials.ts';

const told: unknown[] = [];
const question = { tool_name: 'Execute', tool_input: { command: 'curl x' } };
const use = { type: 'permission_denied', content: 'no', tool: 'Execute', tool_use_id: 'use-1' } as const;

test('a refusal known only to the gate is reported when the agent reports that use, and not before', () => {
  // Any process of the worker could ask the gate, and so forge entries and the metric.
  const events: unknown[] = [];
  const denials = new Denials({ allowed: ['git'], tell: (event) => events.push(event) });
  for (let at = 0; at < 1000; at += 1) denials.evaluate({ ...question, tool_use_id: `forged-${at}` });
  denials.evaluate({ ...question, tool_use_id: 'real' });
  expect([events, denials.count]).toEqual([[], 0]);
  denials.announce('real');
  denials.announce('real');
  denials.evaluate({ ...question, tool_use_id: 'real' });
  expect(events).toMatchObject([{ tool_use_id: 'real', tool: 'Execute' }]);
  expect(denials.count).toBe(1);
});

test('one refusal is reported once, by the source that knows its use of a tool', () => {
  const denials = new Denials({ allowed: ['git'], tell: (event) => told.push(event) });
  // Droid's hook names no use; its dialogue does, when the hook has answered.
  expect(denials.evaluate(question).hookSpecificOutput?.permissionDecision).toBe('deny');
  expect(told).toEqual([]);
  denials.add(use);
  denials.announce('use-2');
  denials.evaluate({ ...question, tool_use_id: 'use-2' });
  denials.add({ ...use, tool_use_id: 'use-2' });
  expect(told).toMatchObject([{ tool_use_id: 'use-1' }, { tool_use_id: 'use-2', tool: 'Execute' }]);
  expect(denials.count).toBe(2);
});
