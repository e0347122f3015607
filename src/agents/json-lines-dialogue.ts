import { createToolMap } from './bounded-map.ts';
import type { AgentEvent, DialogueStep, OpenDialogue, TokenUsage, TurnEnd } from './dialogue.ts';
import { classifyCode, INTERRUPTED } from './failure.ts';
import { type JsonObject, parseObject, summarizeToolUse, toNumber, toObject, toText } from './json.ts';

const line = (value: object) => `${JSON.stringify(value)}\n`;

/**
 * Our own protocol for CUSTOM agents: one JSON object per line (docs/agents.md). There is no handshake. A
 * prompt can be sent as soon as the process has started; it waits in the process's stdin until the agent
 * reads it.
 */
export const openJsonLines: OpenDialogue = () => {
  const tools = createToolMap();
  let prompts = 0;
  let turn: { id: string; interrupted: boolean } | undefined;

  function ended(received: JsonObject): DialogueStep {
    // The late end of an earlier turn that has timed out.
    if (!turn || (received.id !== undefined && received.id !== turn.id)) return {};
    const { interrupted } = turn;
    turn = undefined;
    tools.clear();
    return { ended: { ...toTurnEnd(received, interrupted), ...parseSpending(received) } };
  }

  function event(received: JsonObject): AgentEvent | undefined {
    const tool_use_id = toText(received.tool_use_id);
    const tool = toText(received.tool) || tools.get(tool_use_id) || 'tool';
    const content = toText(received.content);
    switch (received.type) {
      case 'message':
        return { type: 'message', content };
      case 'log':
        return { type: 'stderr', content };
      case 'tool_use':
        tools.set(tool_use_id, tool);
        return {
          type: 'tool_use',
          content: content || summarizeToolUse(tool, received.input),
          tool,
          tool_use_id,
          input: received.input ?? {},
        };
      case 'tool_result':
        return { type: 'tool_result', content, tool, tool_use_id, is_error: received.is_error === true };
      case 'permission_denied':
        return { type: 'permission_denied', content, tool, tool_use_id };
      default:
        return undefined;
    }
  }

  return {
    open: () => ({ ready: true }),
    takesNotice: true,
    prompt(content, notice) {
      prompts += 1;
      turn = { id: String(prompts), interrupted: false };
      return { write: line({ type: 'prompt', id: turn.id, content, notice }) };
    },
    interrupt() {
      if (!turn) return {};
      turn.interrupted = true;
      return { write: line({ type: 'interrupt', id: turn.id }) };
    },
    receive(heard) {
      const received = parseObject(heard);
      if (!received || typeof received.type !== 'string') return { unreadable: true };
      if (received.type === 'turn_completed' || received.type === 'turn_failed') return ended(received);
      const parsed = event(received);
      return parsed ? { events: [parsed] } : {};
    },
  };
};

function toTurnEnd(received: JsonObject, interrupted: boolean): TurnEnd {
  if (received.type === 'turn_completed') return { ok: true, result: toText(received.result) };
  if (interrupted) return INTERRUPTED;
  const message = toText(received.message) || 'The agent gave no reason.';
  return { ok: false, reason: classifyCode(toText(received.reason)), message };
}

function parseSpending(received: JsonObject): { usage?: TokenUsage; cost_usd?: number } {
  const usage = toObject(received.usage);
  return {
    ...(usage && {
      usage: { input_tokens: toNumber(usage.input_tokens), output_tokens: toNumber(usage.output_tokens) },
    }),
    ...(typeof received.cost_usd === 'number' && { cost_usd: toNumber(received.cost_usd) }),
  };
}
