/**
 * The agents that a worker can be: one file an agent type says how its image is made, how it is configured and
 * started, and how it talks; this is the table of them.
 *
 * What must always hold: everything here is pure, a dialogue never throws on its input, and no credential passes
 * through (the agent gets the address of the wrapper's gateway and a key that is none). Imports types of the model
 * only, because the wrapper's bundle holds all of it.
 */
import type { AgentType, WorkerSpec } from '../model/spec.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { customAcp, customJson, customLines } from './custom.ts';
import { factory } from './factory.ts';
import type { AgentKind } from './kind.ts';
import { taskAgent } from './task.ts';

export { resolveEndpoint } from './endpoint.ts';

const KINDS: Record<AgentType, AgentKind> = {
  CLAUDE: claude,
  FACTORY: factory,
  CODEX: codex,
  CUSTOM: customLines,
  TASK: taskAgent,
};
const CUSTOM = { lines: customLines, json: customJson, acp: customAcp };

/** What is known of an agent type, whatever a worker's spec says beside it. */
export function getAgentKind(type: AgentType): AgentKind {
  return KINDS[type];
}

/** The kind of one worker: a CUSTOM command's `protocol` decides how it talks. */
export function getAgentKindForSpec(spec: Pick<WorkerSpec, 'agent_type' | 'protocol'>): AgentKind {
  return spec.agent_type === 'CUSTOM' ? CUSTOM[spec.protocol ?? 'lines'] : KINDS[spec.agent_type];
}
