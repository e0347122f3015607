/** Which forks continue the conversation of a checkpoint. Pure. */
import { getCapabilities, type WorkerSpec } from '../model/index.ts';

/** Agents that find their conversation by the path of the workspace, which only containers have in common. */
const BY_PATH: ReadonlySet<string> = new Set(['CLAUDE', 'FACTORY']);

/** Whether the agent of a fork can continue the conversation of the first one. */
export function canContinue(first: WorkerSpec, fork: WorkerSpec | undefined): boolean {
  if (fork?.agent_type !== first.agent_type) return false;
  const inContainers = [first, fork].every(({ runtime }) => getCapabilities(runtime).usesImages);
  return inContainers || !BY_PATH.has(first.agent_type);
}
