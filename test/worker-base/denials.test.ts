import { expect, test } from 'vitest';
import { Denials } from '../../worker-base/denials.ts';

const told: unknown[] = [];
const question = { tool_name: 'Execute', tool_input: { command: 'curl x' } };
const use = { type: 'permission_denied', content: 'no', tool: 'Execute', tool_use_id: 'use-1' } as const;

test('one refusal is told once, by whoever knows of which use of a tool it is', () => {
  const denials = new Denials({ allowed: ['git'], tell: (event) => told.push(event) });
  // Droid's hook names no use; its dialogue does, when the hook has answered.
  expect(denials.judge(question).hookSpecificOutput?.permissionDecision).toBe('deny');
  expect(told).toEqual([]);
  denials.add(use);
  denials.judge({ ...question, tool_use_id: 'use-2' });
  denials.add({ ...use, tool_use_id: 'use-2' });
  expect(told).toMatchObject([{ tool_use_id: 'use-1' }, { tool_use_id: 'use-2', tool: 'Execute' }]);
  expect(denials.count).toBe(2);
});
