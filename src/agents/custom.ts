import { openJsonLines } from './json-lines-dialogue.ts';
import type { AgentKind } from './kind.ts';
import { openPlainLines } from './plain-lines-dialogue.ts';

/** Any command of the user's own. It is given nothing but its environment; it brings what it needs. */
const custom = {
  type: 'CUSTOM',
  credentials: [],
  conversation: [],
  launch: ({ spec }) => ({ argv: spec.command_line ?? [], env: {}, files: {} }),
} satisfies Partial<AgentKind>;

/** Reads prompts as lines and writes lines; the end of a turn is unknown. */
export const customLines: AgentKind = { ...custom, dialogue: openPlainLines, turnless: true };

/** Uses JSON objects, one a line (docs/agents.md). */
export const customJson: AgentKind = { ...custom, dialogue: openJsonLines };

/** Uses the Agent Client Protocol: calls and answers in both directions, which the official SDK conducts. */
export const customAcp: AgentKind = {
  ...custom,
  acp: true,
  dialogue: () => {
    throw new Error('An ACP agent has no line-based dialogue; the wrapper uses the SDK.');
  },
};
