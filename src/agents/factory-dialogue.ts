import type { AgentEvent, OpenDialogue, Step, TurnEnd, TurnFailure } from './dialogue.ts';
import { failureOfText, INTERRUPTED } from './failure.ts';
import { eventsOfContent, type Fields, fields, list, number, objectOf, text, textOfContent } from './json.ts';
import { rememberMessages, rememberTools } from './remembered.ts';

const VERSIONS = { jsonrpc: '2.0', factoryApiVersion: '1.0.0' };
const line = (message: object) => `${JSON.stringify({ ...VERSIONS, ...message })}\n`;

/** Droid's JSON-RPC over lines. It is not documented: what is unknown is passed over. */
export const openFactory: OpenDialogue = ({ workspace, session: resumed }) => {
  const tools = rememberTools();
  /** Uses of tools that have their result; of a cancelled one it comes twice. */
  const answered = rememberTools();
  const denied = rememberTools();
  /** Text that came in pieces and not yet as a whole message, by the message. */
  const partial = rememberMessages();
  const purposes = new Map<string, string>();
  let session = resumed;
  /** `id` is Droid's name of the turn: of the message that the prompt, a `request` of ours, became. */
  let turn: { interrupted: boolean; error: string; request: string; id: string } | undefined;
  let requests = 0;

  function call(purpose: string, method: string, params: object): string {
    requests += 1;
    const id = `worker-${requests}`;
    purposes.set(id, purpose);
    return line({ type: 'request', id, method: `droid.${method}`, params });
  }

  const begin = () =>
    call('begin', 'initialize_session', {
      machineId: 'worker',
      cwd: workspace,
      autonomyLevel: 'high',
      interactionMode: 'auto',
    });

  function end(outcome: TurnEnd): Step {
    turn = undefined;
    const events = [...partial.values()].map((content): AgentEvent => ({ type: 'message', content }));
    partial.clear();
    tools.clear();
    answered.clear();
    denied.clear();
    return { events, ended: outcome };
  }

  function hearResponse(said: Fields): Step {
    const id = text(said.id);
    const purpose = purposes.get(id);
    purposes.delete(id);
    const error = fields(said.error);
    const message = text(error?.message);
    if (purpose === 'resume' && error) {
      // The same process can start again, but the lost conversation has to be reported.
      session = undefined;
      return { write: begin(), ended: { ok: false, reason: 'session_lost', message: `Droid: ${message}` } };
    }
    if (purpose === 'begin' || purpose === 'resume') {
      if (error)
        return { events: [{ type: 'stderr', content: `Droid did not start a session: ${message}` }] };
      const name = text(fields(said.result)?.sessionId) || session || '';
      const step: Step = name === '' || name === session ? {} : { session: name };
      session = name;
      return { ready: true, ...step };
    }
    if (purpose === 'prompt' && error && turn) return end(failure(message));
    return {};
  }

  function hearMessage(message: Fields): AgentEvent[] {
    if (message.role !== 'assistant') return [];
    partial.delete(text(message.id));
    return eventsOfContent(message.content, tools);
  }

  /** A hook's own answer is the only sign that a use was refused, and not failed. */
  function hearHook(told: Fields): AgentEvent[] {
    const id = text(told.hookToolCallId);
    return list(told.hookResults).flatMap(({ stdout }): AgentEvent[] => {
      const answer = fields(objectOf(text(stdout))?.hookSpecificOutput);
      if (answer?.permissionDecision !== 'deny' || denied.has(id)) return [];
      denied.set(id, '');
      const content = text(answer.permissionDecisionReason);
      return [{ type: 'permission_denied', content, tool: tools.get(id) ?? '', tool_use_id: id }];
    });
  }

  function hearNotification(told: Fields): Step {
    switch (told.type) {
      case 'assistant_text_delta': {
        const id = text(told.messageId);
        partial.set(id, (partial.get(id) ?? '') + text(told.textDelta));
        return {};
      }
      case 'create_message':
        if (turn && told.requestId === turn.request) turn.id = text(fields(told.message)?.id);
        return { events: hearMessage(fields(told.message) ?? {}) };
      case 'tool_result': {
        const id = text(told.toolUseId);
        if (answered.has(id)) return {};
        answered.set(id, '');
        const tool = tools.get(id) ?? '';
        const content = textOfContent(told.content);
        const is_error = told.isError === true;
        return { events: [{ type: 'tool_result', content, tool, tool_use_id: id, is_error }] };
      }
      case 'llm_retry': {
        const content = `The request to the model is retried (${text(told.reason) || 'unknown'}), attempt ${number(told.attempt)}.`;
        return { events: [{ type: 'stderr', content }], retrying: true };
      }
      case 'hook_execution_completed':
        return { events: hearHook(told) };
      case 'error':
        if (turn) turn.error = text(told.message);
        return {};
      case 'agent_turn_completed': {
        // Of an agent that the agent started, or of an earlier turn.
        const other = turn?.id !== '' && text(told.turnId) !== '' && told.turnId !== turn?.id;
        if (!turn || other) return {};
        return end({ ...outcomeOf(told, turn), ...usageOf(told) });
      }
      default:
        return {};
    }
  }

  function hearRequest(said: Fields): Step {
    // Whatever may be refused has been by the settings and the hook before it asks anybody.
    const result =
      said.method === 'droid.request_permission' ? { selectedOption: 'proceed_once' } : undefined;
    const error = { code: -32601, message: 'This request is not supported.' };
    return { write: line({ type: 'response', id: said.id, ...(result ? { result } : { error }) }) };
  }

  let answer = '';
  return {
    open: () => ({
      write: resumed === undefined ? begin() : call('resume', 'load_session', { sessionId: resumed }),
    }),
    prompt(content) {
      const write = call('prompt', 'add_user_message', { text: content });
      turn = { interrupted: false, error: '', request: `worker-${requests}`, id: '' };
      answer = '';
      return { write };
    },
    interrupt() {
      if (!turn) return {};
      turn.interrupted = true;
      return { write: call('interrupt', 'interrupt_session', {}) };
    },
    hear(heard) {
      const said = objectOf(heard);
      if (said?.jsonrpc !== '2.0') return { unreadable: true };
      if (said.type === 'response') return hearResponse(said);
      if (said.type === 'request') return hearRequest(said);
      const told = fields(fields(said.params)?.notification);
      if (!told) return {};
      const step = hearNotification(told);
      for (const event of step.events ?? []) if (event.type === 'message') answer = event.content;
      if (step.ended?.ok) return { ...step, ended: { ...step.ended, result: answer } };
      return step;
    },
  };
};

/** Its reasons, as far as they are of use; found in the program. */
const REASONS: Record<string, TurnFailure> = {
  model_authentication_failed: 'authentication',
  model_rate_limited: 'rate_limited',
  model_usage_exhausted: 'limit',
  model_provider_unreachable: 'connection',
  model_provider_unavailable: 'server_error',
  model_request_rejected: 'refused',
};
const VAGUE = ['model_provider_unavailable', 'model_request_rejected'];

const failure = (message: string): TurnEnd => ({
  ok: false,
  reason: failureOfText(message),
  message: message || 'Droid gave no reason.',
});

function outcomeOf(told: Fields, turn: { interrupted: boolean; error: string }): TurnEnd {
  const reason = text(told.reason);
  if (reason === 'completed') return { ok: true, result: '' };
  if (turn.interrupted) return INTERRUPTED;
  const failed = failure(turn.error || `Droid ended the turn: ${reason || 'without a reason'}.`);
  const given = REASONS[reason];
  // A bad request is "rejected" too, and an overload "unavailable": the words of the error know more.
  return failed.ok || given === undefined || (VAGUE.includes(reason) && failed.reason !== 'error')
    ? failed
    : { ...failed, reason: given };
}

function usageOf(told: Fields): Pick<TurnEnd, 'usage'> {
  const usage = fields(told.tokenUsage);
  if (!usage) return {};
  return {
    usage: {
      input_tokens: number(usage.inputTokens),
      output_tokens: number(usage.outputTokens),
      cache_read_tokens: number(usage.cacheReadTokens),
      cache_write_tokens: number(usage.cacheCreationTokens),
    },
  };
}
