/** Recorded ACP messages of Gemini CLI 0.61.0. */
import type { SessionUpdate } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import { AcpEvents } from '../../../worker-base/agent/acp-events.ts';

const text = (content: string) => [
  { type: 'content' as const, content: { type: 'text' as const, text: content } },
];
const shell = { toolCallId: 'run_1', title: 'git status', locations: [], kind: 'execute' as const };
const use = { type: 'tool_use', content: 'git status', tool: 'Shell', input: { command: 'git status' } };

test('a command, which is the title of its use', () => {
  const telling = new AcpEvents(false);
  telling.begin();
  const updates: SessionUpdate[] = [
    { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'I look.' } },
    {
      ...shell,
      sessionUpdate: 'tool_call',
      status: 'in_progress',
      content: text('[current working directory /w]'),
    },
    { ...shell, sessionUpdate: 'tool_call_update', status: 'completed', content: text('clean') },
  ];
  expect(updates.flatMap((update) => telling.receive(update))).toMatchObject([
    { type: 'message', content: 'I look.' },
    use,
    { type: 'tool_result', content: 'clean', tool: 'Shell', tool_use_id: 'run_1', is_error: false },
  ]);
  expect(telling.end()).toEqual([]);
});

test('a command that it requests and never reports again', () => {
  const telling = new AcpEvents(false);
  telling.begin();
  expect(telling.requestPermission({ ...shell, status: 'pending' })).toMatchObject([use]);
  expect(telling.requestPermission({ ...shell, status: 'pending' })).toEqual([]);
  expect(telling.end()).toMatchObject([{ type: 'tool_result', tool_use_id: 'run_1', is_error: true }]);
  expect(telling.end()).toEqual([]);
});
