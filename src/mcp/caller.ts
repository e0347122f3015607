/** Who uses the tools, and which workers it sees. Pure. */
import type { WorkerSpec, WorkerView } from '../model/index.ts';

/**
 * Label of a worker that was created with the tools: the IDs of the workers that it descends from, the oldest first and
 * separated by spaces. It is in the record, so that the depth survives the manager. The tools accept no labels, so that an
 * agent cannot choose it.
 */
export const MCP_LABEL = 'worker-manager.mcp';

/** The operator's own agent, which has the API token, or the agent of a worker. */
export type McpCaller = { kind: 'operator' } | McpWorker;

export interface McpWorker {
  kind: 'worker';
  id: string;
  /** The oldest first. */
  ancestors: readonly string[];
  spec: WorkerSpec;
  created_at: string;
}

type Labels = Pick<WorkerView, 'labels'>['labels'];

/** The workers that it descends from; undefined if it was not created with the tools. */
export function readAncestors(labels: Labels): string[] | undefined {
  const text = labels[MCP_LABEL];
  return text === undefined ? undefined : text.split(' ').filter(Boolean);
}

/** The labels of a worker that the caller creates. */
export const toChildLabels = (caller: McpCaller): Labels => ({
  [MCP_LABEL]: caller.kind === 'operator' ? '' : [...caller.ancestors, caller.id].join(' '),
});

/** Whether the caller may look at a worker and use it: the operator's agent all that came from the tools, a worker its own. */
export function isVisibleTo(caller: McpCaller, labels: Labels): boolean {
  const ancestors = readAncestors(labels);
  if (!ancestors) return false;
  return caller.kind === 'operator' || ancestors.includes(caller.id);
}
