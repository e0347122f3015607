import { expect, test } from 'vitest';
import { getWarnings } from '../../src/placement/capabilities.ts';

// Such a worker was accepted without a word, and RUNNING until its first prompt failed.
test.each([
  ['CLAUDE without a credential', { agent_type: 'CLAUDE' }, /ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN/],
  ['FACTORY without a credential', { agent_type: 'FACTORY' }, /FACTORY_API_KEY/],
  ['CODEX without a credential', { agent_type: 'CODEX' }, /OPENAI_API_KEY.*OPENAI_BASE_URL/],
  ['CLAUDE with another secret', { agent_type: 'CLAUDE', secrets: ['GITHUB_TOKEN'] }, /ANTHROPIC_API_KEY/],
] as const)('%s is accepted with a warning', (_, asked, what) => {
  expect(getWarnings(asked as never, 'docker')).toEqual([expect.stringMatching(what)]);
});

test.each([
  ['its credential', { agent_type: 'CLAUDE', secrets: ['CLAUDE_CODE_OAUTH_TOKEN'] }],
  ['an endpoint of its own', { agent_type: 'CLAUDE', env: { ANTHROPIC_BASE_URL: 'http://model' } }],
  ['no model that is known here', { agent_type: 'CUSTOM', command_line: ['cat'] }],
  ['no agent at all', { agent_type: 'TASK' }],
] as const)('a worker with %s is not warned of', (_, asked) => {
  expect(getWarnings(asked as never, 'docker')).toEqual([]);
});
