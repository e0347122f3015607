import { BoundedMap, createToolMap } from '../../src/agents/bounded-map.ts';
import type { AgentEvent } from '../../src/agents/dialogue.ts';
import { evaluateToolCall, findDenial, type PolicyDecision } from './command-policy.ts';

type Denied = Extract<AgentEvent, { type: 'permission_denied' }>;

/**
 * Reports each denial of the agent once, although several sources report it: the hook in our gateway, the CLI itself,
 * and the operating system, whose refusal appears in a tool's result.
 */
export class Denials {
  readonly #allowed: string[] | undefined;
  readonly #emit: (event: Denied) => void;
  readonly #known = createToolMap();
  readonly #announced = createToolMap();
  readonly #waiting = new BoundedMap<Denied>({ entries: 256, characters: 0 });
  count = 0;

  constructor(options: { allowed: string[] | undefined; tell: (event: Denied) => void }) {
    this.#allowed = options.allowed;
    this.#emit = options.tell;
  }

  /**
   * Decides for the hook, and reports a denial of a use that the agent has announced. A denial without a
   * named use is reported only through the agent's dialogue.
   */
  evaluate(request: unknown): PolicyDecision {
    const answer = evaluateToolCall(request, this.#allowed ?? []);
    const output = answer.hookSpecificOutput;
    const { tool_name: tool, tool_use_id } = (request ?? {}) as {
      tool_name?: unknown;
      tool_use_id?: unknown;
    };
    if (output?.permissionDecision === 'deny' && typeof tool_use_id === 'string' && tool_use_id !== '') {
      const content = output.permissionDecisionReason ?? 'It is not in allowed_commands.';
      const event = { type: 'permission_denied', content, tool: String(tool ?? ''), tool_use_id } as const;
      // Any child of the agent can reach the gate: only a use that the agent itself has reported counts.
      if (this.#announced.has(tool_use_id)) this.add(event);
      else this.#waiting.set(tool_use_id, event);
    }
    return answer;
  }

  /** The agent reports a use: an earlier denial of it counts now. */
  announce(toolUseId: string): void {
    this.#announced.set(toolUseId, '');
    const waiting = this.#waiting.get(toolUseId);
    if (!waiting) return;
    this.#waiting.delete(toolUseId);
    this.add(waiting);
  }

  /** Checks whether a tool's result shows that the system refused a program. */
  review(event: Extract<AgentEvent, { type: 'tool_result' }>): void {
    if (!this.#allowed) return;
    const program = findDenial(event);
    if (program === undefined) return;
    const content = `${program} was denied by the operating system: it is not in allowed_commands.`;
    this.add({ type: 'permission_denied', content, tool: event.tool, tool_use_id: event.tool_use_id });
  }

  add(event: Denied): void {
    if (event.tool_use_id !== '') {
      if (this.#known.has(event.tool_use_id)) return;
      this.#known.set(event.tool_use_id, event.tool);
    }
    this.count += 1;
    this.#emit(event);
  }
}
