/**
 * The agent types. One file per type defines how its image is made, how the agent is configured and started,
 * and which protocol it uses; this file is the table of them.
 *
 * Invariants: everything here is pure, a dialogue never throws on its input, and no credential passes through
 * (the agent gets the address of the wrapper's model proxy and a placeholder key). Imports only types of the
 * model, because the wrapper's bundle contains all of it.
 */
import type { AgentType, WorkerSpec } from '../model/worker/spec.ts';
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

/** The definition of an agent type, independent of a worker's spec. */
export function getAgentKind(type: AgentType): AgentKind {
  return KINDS[type];
}

/** The kind of one worker; the `protocol` of a CUSTOM command selects its dialogue. */
export function getAgentKindForSpec(spec: Pick<WorkerSpec, 'agent_type' | 'protocol'>): AgentKind {
  return spec.agent_type === 'CUSTOM' ? CUSTOM[spec.protocol ?? 'lines'] : KINDS[spec.agent_type];
}
