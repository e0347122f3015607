import { createToolMap } from './bounded-map.ts';
import type { AgentEvent, DialogueStep, OpenDialogue, TokenUsage, TurnEnd } from './dialogue.ts';
import { classifyMessage, classifyStatus, INTERRUPTED } from './failure.ts';
import {
  contentToEvents,
  contentToText,
  type JsonObject,
  parseObject,
  toNumber,
  toObject,
  toObjects,
  toText,
} from './json.ts';

const line = (value: object) => `${JSON.stringify(value)}\n`;
const request = (id: string, subtype: string) =>
  line({ type: 'control_request', request_id: id, request: { subtype } });

/** What it puts before the words of a hook that refused. */
const HOOK = /^PreToolUse:\w+ hook error: /;

/**
 * Claude Code's stream-json protocol, one process for many turns. It is only partly documented; unknown lines
 * are ignored.
 */
export const openClaude: OpenDialogue = ({ session: resumed }) => {
  /** Tools in use, by the id of the use. */
  const tools = createToolMap();
  const denied = createToolMap();
  let session = resumed;
  /** `begun`: the CLI has written `init` for it, as it does first of all in every turn. */
  let turn: { interrupted: boolean; begun: boolean } | undefined;
  /** A turn of this process has ended: a result before the next one's `init` is another of that. */
  let ended = false;
  /** Money spent before this turn, as the process counts it; one that resumes may or may not count from before. */
  let spent = resumed === undefined ? 0 : undefined;
  let interrupts = 0;

  const interrupt = () => {
    interrupts += 1;
    return request(`interrupt-${interrupts}`, 'interrupt');
  };

  function denial(id: string, tool: string, content: string): AgentEvent[] {
    if (denied.has(id)) return [];
    denied.set(id, tool);
    return [{ type: 'permission_denied', content, tool, tool_use_id: id }];
  }

  function hearSystem(received: JsonObject): DialogueStep {
    const id = toText(received.tool_use_id);
    switch (received.subtype) {
      case 'init': {
        const name = toText(received.session_id);
        const step: DialogueStep = name === '' || name === session ? {} : { session: name };
        if (name !== '') session = name;
        if (turn) turn.begun = true;
        // The interrupt arrived before the turn began, so there was nothing to interrupt.
        return turn?.interrupted ? { ...step, write: interrupt() } : step;
      }
      case 'api_retry':
        return { events: [{ type: 'stderr', content: formatRetry(received) }], retrying: true };
      case 'permission_denied':
        return {
          events: denial(
            id,
            toText(received.tool_name),
            toText(received.message) || toText(received.decision_reason),
          ),
        };
      default:
        return {};
    }
  }

  function hearAssistant(received: JsonObject): DialogueStep {
    // An endpoint error in the form of an assistant message; the result reports it.
    if (received.error) return {};
    const events = contentToEvents(toObject(received.message)?.content, tools);
    // Output of a subagent is for the agent, not for people.
    const own = received.parent_tool_use_id == null;
    return { events: own ? events : events.filter(({ type }) => type !== 'message') };
  }

  function hearUser(received: JsonObject): DialogueStep {
    const refused = new Set(
      toObjects(received.tool_result_meta)
        .filter(({ permission_decision }) => toObject(permission_decision)?.decision === 'reject')
        .map(({ id }) => toText(id)),
    );
    const events = toObjects(toObject(received.message)?.content).flatMap((block): AgentEvent[] => {
      if (block.type !== 'tool_result') return [];
      const id = toText(block.tool_use_id);
      const tool = tools.get(id) ?? '';
      tools.delete(id);
      const content = contentToText(block.content);
      const is_error = block.is_error === true;
      return [
        ...(refused.has(id) ? denial(id, tool, content.replace(HOOK, '')) : []),
        { type: 'tool_result', content, tool, tool_use_id: id, is_error },
      ];
    });
    return { events };
  }

  function hearResult(received: JsonObject): DialogueStep {
    const cost = toCost(received, spent);
    spent = toNumber(received.total_cost_usd);
    // A turn that the agent started because a background task ended; a turn of a prompt has no origin.
    const origin = toText(toObject(received.origin)?.kind);
    if (origin !== '' && origin !== 'human') return {};
    const lost =
      toText(received.subtype) !== 'success' && classifyMessage(joinErrors(received)) === 'session_lost';
    if (!turn && !lost) return {};
    if (turn && ended && !turn.begun && !lost) return {};
    ended = true;
    const interrupted = turn?.interrupted === true;
    turn = undefined;
    tools.clear();
    return { ended: { ...toTurnEnd(received, interrupted), usage: parseUsage(received), ...cost } };
  }

  function hearRequest(received: JsonObject): DialogueStep {
    const request = toObject(received.request);
    // The settings and the hook have already denied whatever must be denied.
    const response =
      request?.subtype === 'can_use_tool'
        ? { subtype: 'success', response: { behavior: 'allow', updatedInput: request.input ?? {} } }
        : { subtype: 'error', error: 'This request is not supported.' };
    return {
      write: line({ type: 'control_response', response: { ...response, request_id: received.request_id } }),
    };
  }

  return {
    open: () => ({ write: request('initialize', 'initialize') }),
    prompt(content) {
      turn = { interrupted: false, begun: false };
      return { write: line({ type: 'user', message: { role: 'user', content } }) };
    },
    interrupt() {
      if (!turn) return {};
      turn.interrupted = true;
      return { write: interrupt() };
    },
    receive(heard) {
      const received = parseObject(heard);
      switch (received?.type) {
        case 'system':
          return hearSystem(received);
        case 'assistant':
          return hearAssistant(received);
        case 'user':
          return hearUser(received);
        case 'result':
          return hearResult(received);
        case 'control_request':
          return hearRequest(received);
        case 'control_response':
          return toObject(received.response)?.request_id === 'initialize' ? { ready: true } : {};
        default:
          return received && typeof received.type === 'string' ? {} : { unreadable: true };
      }
    },
  };
};

function formatRetry(received: JsonObject): string {
  const status = toNumber(received.error_status);
  const what = status > 0 ? `answered ${status}` : 'did not answer';
  const seconds = (toNumber(received.retry_delay_ms) / 1000).toFixed(1);
  const tries = `attempt ${toNumber(received.attempt)} of ${toNumber(received.max_retries)}`;
  return `The model's endpoint ${what} (${toText(received.error) || 'unknown'}); ${tries}, retrying in ${seconds} s.`;
}

const joinErrors = (received: JsonObject) =>
  Array.isArray(received.errors) ? received.errors.map(toText).join('; ') : '';

function toTurnEnd(received: JsonObject, interrupted: boolean): TurnEnd {
  // An endpoint error has the subtype `success` as well.
  if (received.is_error === false) return { ok: true, result: toText(received.result) };
  const message =
    toText(received.result) ||
    joinErrors(received) ||
    toText(received.subtype) ||
    'Claude Code gave no reason.';
  const failed = (reason: (TurnEnd & { ok: false })['reason']): TurnEnd => ({ ok: false, reason, message });
  if (interrupted) return INTERRUPTED;
  if (received.subtype === 'error_max_turns' || received.subtype === 'error_max_budget_usd')
    return failed('limit');
  if (received.stop_reason === 'refusal') return failed('refused');
  return failed(classifyStatus(toNumber(received.api_error_status)) ?? classifyMessage(message));
}

/** What this turn cost: the total is of the whole process, and after a resume perhaps of earlier ones too. */
function toCost(received: JsonObject, spent: number | undefined): { cost_usd?: number } {
  const total = toNumber(received.total_cost_usd);
  if (spent === undefined) {
    const all = Object.values(toObject(received.modelUsage) ?? {}).reduce<number>((sum, each) => {
      const { inputTokens, outputTokens } = toObject(each) ?? {};
      return sum + toNumber(inputTokens) + toNumber(outputTokens);
    }, 0);
    const { input_tokens, output_tokens } = parseUsage(received);
    // The total includes earlier processes, whose share is unknown here, so it is not this turn's count.
    if (all > input_tokens + output_tokens) return {};
  }
  // Round off floating-point noise. If the total has shrunk, /clear reset it.
  const before = spent === undefined || total < spent ? 0 : spent;
  return { cost_usd: Number((total - before).toFixed(6)) };
}

function parseUsage(received: JsonObject): TokenUsage {
  const usage = toObject(received.usage) ?? {};
  return {
    input_tokens: toNumber(usage.input_tokens),
    output_tokens: toNumber(usage.output_tokens),
    cache_read_tokens: toNumber(usage.cache_read_input_tokens),
    cache_write_tokens: toNumber(usage.cache_creation_input_tokens),
  };
}
