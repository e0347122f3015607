import type { AgentEvent, OpenDialogue, Step, TurnEnd, Usage } from './dialogue.ts';
import { failureOfWord, INTERRUPTED } from './failure.ts';
import { type Fields, fields, number, objectOf, summaryOfUse, text } from './json.ts';
import { rememberTools } from './remembered.ts';

const line = (value: object) => `${JSON.stringify(value)}\n`;

/**
 * Our own protocol for CUSTOM agents, JSON objects one a line (docs/agents.md). There is no handshake: a prompt may
 * come as soon as the process is started, and waits in its stdin until it reads.
 */
export const openJsonLines: OpenDialogue = () => {
  const tools = rememberTools();
  let prompts = 0;
  let turn: { id: string; interrupted: boolean } | undefined;

  function ended(said: Fields): Step {
    // The late end of an earlier turn, which was given up meanwhile.
    if (!turn || (said.id !== undefined && said.id !== turn.id)) return {};
    const { interrupted } = turn;
    turn = undefined;
    tools.clear();
    return { ended: { ...outcomeOf(said, interrupted), ...spendingOf(said) } };
  }

  function event(said: Fields): AgentEvent | undefined {
    const tool_use_id = text(said.tool_use_id);
    const tool = text(said.tool) || tools.get(tool_use_id) || 'tool';
    const content = text(said.content);
    switch (said.type) {
      case 'message':
        return { type: 'message', content };
      case 'log':
        return { type: 'stderr', content };
      case 'tool_use':
        tools.set(tool_use_id, tool);
        return {
          type: 'tool_use',
          content: content || summaryOfUse(tool, said.input),
          tool,
          tool_use_id,
          input: said.input ?? {},
        };
      case 'tool_result':
        return { type: 'tool_result', content, tool, tool_use_id, is_error: said.is_error === true };
      case 'permission_denied':
        return { type: 'permission_denied', content, tool, tool_use_id };
      default:
        return undefined;
    }
  }

  return {
    open: () => ({ ready: true }),
    prompt(content) {
      prompts += 1;
      turn = { id: String(prompts), interrupted: false };
      return { write: line({ type: 'prompt', id: turn.id, content }) };
    },
    interrupt() {
      if (!turn) return {};
      turn.interrupted = true;
      return { write: line({ type: 'interrupt', id: turn.id }) };
    },
    hear(heard) {
      const said = objectOf(heard);
      if (!said || typeof said.type !== 'string') return { unreadable: true };
      if (said.type === 'turn_completed' || said.type === 'turn_failed') return ended(said);
      const told = event(said);
      return told ? { events: [told] } : {};
    },
  };
};

function outcomeOf(said: Fields, interrupted: boolean): TurnEnd {
  if (said.type === 'turn_completed') return { ok: true, result: text(said.result) };
  if (interrupted) return INTERRUPTED;
  const message = text(said.message) || 'The agent gave no reason.';
  return { ok: false, reason: failureOfWord(text(said.reason)), message };
}

function spendingOf(said: Fields): { usage?: Usage; cost_usd?: number } {
  const usage = fields(said.usage);
  return {
    ...(usage && {
      usage: { input_tokens: number(usage.input_tokens), output_tokens: number(usage.output_tokens) },
    }),
    ...(typeof said.cost_usd === 'number' && { cost_usd: number(said.cost_usd) }),
  };
}
