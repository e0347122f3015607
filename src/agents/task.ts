import type { AgentKind } from './kind.ts';

/** Not an agent: the wrapper takes tasks from its pool's queue and runs them in its own handler processes. */
export const taskAgent: AgentKind = {
  type: 'TASK',
  credentials: [],
  conversation: [],
  tasks: true,
  launch: () => ({ argv: [], env: {}, files: {} }),
  dialogue: () => {
    throw new Error('A task worker has no dialogue; its wrapper runs tasks.');
  },
};
