import type { AgentKind } from '../agents/kind.ts';
import type { AgentType } from '../model/index.ts';

const CLIS: Record<AgentType, AgentKind['cli']> = {
  CLAUDE: { package: '@anthropic-ai/claude-code', version: '2.1.329', program: 'claude', debian: ['procps'] },
  FACTORY: { package: 'droid', version: '0.215.0', program: 'droid', debian: ['procps', 'ripgrep'] },
  CUSTOM: undefined,
};

/** What the image of an agent type is given; `undefined` where the program is the user's own. */
export function cliOf(type: AgentType): AgentKind['cli'] {
  return CLIS[type];
}
