import { workerMachine } from '../../machines/worker.ts';

interface Edge {
  from: string;
  to: string;
  guards: string[];
}

type Node = (typeof workerMachine)['root'];

/**
 * The worker's life as a Mermaid diagram, from the machine itself. Rules that stay in their state are left out; rules of one
 * state that lead to the same state are one arrow. Flat, since Mermaid has no arrows between the insides of two states.
 */
export function stateDiagram(): string {
  const leaves = leavesOf(workerMachine.root as Node);
  const edges = leaves.flatMap(edgesOf);
  const lines = leaves.map((node) => `    state "${node.path.join(' · ')}" as ${idOf(node)}`);
  lines.push(`    [*] --> ${idOf(initialLeaf(workerMachine.root as Node))}`);
  for (const { from, to, guards } of edges) lines.push(`    ${from} --> ${to}: ${guards.join(' / ')}`);
  for (const node of leaves)
    if (!edges.some(({ from }) => from === idOf(node))) lines.push(`    ${idOf(node)} --> [*]`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
}

function leavesOf(node: Node): Node[] {
  const children = Object.values(node.states) as Node[];
  return children.length === 0 ? [node] : children.flatMap(leavesOf);
}

function initialLeaf(node: Node): Node {
  const [first] = node.initial?.target ?? [];
  return first ? initialLeaf(first as Node) : node;
}

const idOf = (node: Node) => node.path.join('_');

function edgesOf(node: Node): Edge[] {
  const from = idOf(node);
  const edges: Edge[] = [];
  for (const { target, guard } of node.transitions.get('observed') ?? []) {
    const [next] = target ?? [];
    if (!next) continue;
    const to = idOf(initialLeaf(next as Node));
    const known = edges.find((edge) => edge.to === to);
    if (known) known.guards.push(String(guard));
    else edges.push({ from, to, guards: [String(guard)] });
  }
  return edges;
}
