import type { AgentEvent, OpenDialogue, Step, TurnEnd, Usage } from './dialogue.ts';
import { failureOfStatus, failureOfText, INTERRUPTED } from './failure.ts';
import { eventsOfContent, type Fields, fields, list, number, objectOf, text, textOfContent } from './json.ts';
import { rememberTools } from './remembered.ts';

const line = (value: object) => `${JSON.stringify(value)}\n`;
const request = (id: string, subtype: string) =>
  line({ type: 'control_request', request_id: id, request: { subtype } });

/** What it puts before the words of a hook that refused. */
const HOOK = /^PreToolUse:\w+ hook error: /;

/** Claude Code's stream-json, a process for many turns. What it says is not documented in full: unknown is passed over. */
export const openClaude: OpenDialogue = ({ session: resumed }) => {
  /** Tools in use, by the id of the use. */
  const tools = rememberTools();
  const denied = rememberTools();
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

  function hearSystem(said: Fields): Step {
    const id = text(said.tool_use_id);
    switch (said.subtype) {
      case 'init': {
        const name = text(said.session_id);
        const step: Step = name === '' || name === session ? {} : { session: name };
        if (name !== '') session = name;
        if (turn) turn.begun = true;
        // An interrupt that came before the turn had begun had nothing to interrupt.
        return turn?.interrupted ? { ...step, write: interrupt() } : step;
      }
      case 'api_retry':
        return { events: [{ type: 'stderr', content: retryOf(said) }], retrying: true };
      case 'permission_denied':
        return { events: denial(id, text(said.tool_name), text(said.message) || text(said.decision_reason)) };
      default:
        return {};
    }
  }

  function hearAssistant(said: Fields): Step {
    // An error of the endpoint in the clothes of an answer: the result tells it.
    if (said.error) return {};
    const events = eventsOfContent(fields(said.message)?.content, tools);
    // What a helper of the agent says is for the agent.
    const own = said.parent_tool_use_id == null;
    return { events: own ? events : events.filter(({ type }) => type !== 'message') };
  }

  function hearUser(said: Fields): Step {
    const refused = new Set(
      list(said.tool_result_meta)
        .filter(({ permission_decision }) => fields(permission_decision)?.decision === 'reject')
        .map(({ id }) => text(id)),
    );
    const events = list(fields(said.message)?.content).flatMap((block): AgentEvent[] => {
      if (block.type !== 'tool_result') return [];
      const id = text(block.tool_use_id);
      const tool = tools.get(id) ?? '';
      tools.delete(id);
      const content = textOfContent(block.content);
      const is_error = block.is_error === true;
      return [
        ...(refused.has(id) ? denial(id, tool, content.replace(HOOK, '')) : []),
        { type: 'tool_result', content, tool, tool_use_id: id, is_error },
      ];
    });
    return { events };
  }

  function hearResult(said: Fields): Step {
    const cost = costOf(said, spent);
    spent = number(said.total_cost_usd);
    // A turn that it began by itself, because something in the background ended; a prompt's own has no origin.
    const origin = text(fields(said.origin)?.kind);
    if (origin !== '' && origin !== 'human') return {};
    const lost = text(said.subtype) !== 'success' && failureOfText(errorsOf(said)) === 'session_lost';
    if (!turn && !lost) return {};
    if (turn && ended && !turn.begun && !lost) return {};
    ended = true;
    const interrupted = turn?.interrupted === true;
    turn = undefined;
    tools.clear();
    return { ended: { ...outcomeOf(said, interrupted), usage: usageOf(said), ...cost } };
  }

  function hearRequest(said: Fields): Step {
    const asked = fields(said.request);
    // Whatever may be refused has been by the settings and the hook before it asks anybody.
    const response =
      asked?.subtype === 'can_use_tool'
        ? { subtype: 'success', response: { behavior: 'allow', updatedInput: asked.input ?? {} } }
        : { subtype: 'error', error: 'This request is not supported.' };
    return {
      write: line({ type: 'control_response', response: { ...response, request_id: said.request_id } }),
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
    hear(heard) {
      const said = objectOf(heard);
      switch (said?.type) {
        case 'system':
          return hearSystem(said);
        case 'assistant':
          return hearAssistant(said);
        case 'user':
          return hearUser(said);
        case 'result':
          return hearResult(said);
        case 'control_request':
          return hearRequest(said);
        case 'control_response':
          return fields(said.response)?.request_id === 'initialize' ? { ready: true } : {};
        default:
          return said && typeof said.type === 'string' ? {} : { unreadable: true };
      }
    },
  };
};

function retryOf(said: Fields): string {
  const status = number(said.error_status);
  const what = status > 0 ? `answered ${status}` : 'did not answer';
  const seconds = (number(said.retry_delay_ms) / 1000).toFixed(1);
  const tries = `attempt ${number(said.attempt)} of ${number(said.max_retries)}`;
  return `The model's endpoint ${what} (${text(said.error) || 'unknown'}); ${tries}, retrying in ${seconds} s.`;
}

const errorsOf = (said: Fields) => (Array.isArray(said.errors) ? said.errors.map(text).join('; ') : '');

function outcomeOf(said: Fields, interrupted: boolean): TurnEnd {
  // An error of the endpoint has the subtype `success` too.
  if (said.is_error === false) return { ok: true, result: text(said.result) };
  const message = text(said.result) || errorsOf(said) || text(said.subtype) || 'Claude Code gave no reason.';
  const failed = (reason: (TurnEnd & { ok: false })['reason']): TurnEnd => ({ ok: false, reason, message });
  if (interrupted) return INTERRUPTED;
  if (said.subtype === 'error_max_turns' || said.subtype === 'error_max_budget_usd') return failed('limit');
  if (said.stop_reason === 'refusal') return failed('refused');
  return failed(failureOfStatus(number(said.api_error_status)) ?? failureOfText(message));
}

/** What this turn cost: the total is of the whole process, and after a resume perhaps of earlier ones too. */
function costOf(said: Fields, spent: number | undefined): { cost_usd?: number } {
  const total = number(said.total_cost_usd);
  if (spent === undefined) {
    const all = Object.values(fields(said.modelUsage) ?? {}).reduce<number>((sum, each) => {
      const { inputTokens, outputTokens } = fields(each) ?? {};
      return sum + number(inputTokens) + number(outputTokens);
    }, 0);
    const { input_tokens, output_tokens } = usageOf(said);
    // More tokens than this turn's: the total holds what earlier processes spent, which is not known here.
    if (all > input_tokens + output_tokens) return {};
  }
  // Sums of binary fractions keep crumbs. A total that has shrunk was begun anew, by /clear.
  const before = spent === undefined || total < spent ? 0 : spent;
  return { cost_usd: Number((total - before).toFixed(6)) };
}

function usageOf(said: Fields): Usage {
  const usage = fields(said.usage) ?? {};
  return {
    input_tokens: number(usage.input_tokens),
    output_tokens: number(usage.output_tokens),
    cache_read_tokens: number(usage.cache_read_input_tokens),
    cache_write_tokens: number(usage.cache_creation_input_tokens),
  };
}
