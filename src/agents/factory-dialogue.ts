import { createMessageMap, createToolMap } from './bounded-map.ts';
import type { AgentEvent, DialogueStep, OpenDialogue, TurnEnd, TurnFailure } from './dialogue.ts';
import { classifyMessage, INTERRUPTED } from './failure.ts';
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

const VERSIONS = { jsonrpc: '2.0', factoryApiVersion: '1.0.0' };
const line = (message: object) => `${JSON.stringify({ ...VERSIONS, ...message })}\n`;

/** Droid's JSON-RPC over lines. It is not documented: what is unknown is passed over. */
export const openFactory: OpenDialogue = ({ workspace, session: resumed }) => {
  const tools = createToolMap();
  /** Uses of tools that have their result; of a cancelled one it comes twice. */
  const pending = createToolMap();
  const denied = createToolMap();
  /** Text that came in pieces and not yet as a whole message, by the message. */
  const partial = createMessageMap();
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

  function end(outcome: TurnEnd): DialogueStep {
    turn = undefined;
    const events = [...partial.values()].map((content): AgentEvent => ({ type: 'message', content }));
    partial.clear();
    tools.clear();
    pending.clear();
    denied.clear();
    return { events, ended: outcome };
  }

  function hearResponse(received: JsonObject): DialogueStep {
    const id = toText(received.id);
    const purpose = purposes.get(id);
    purposes.delete(id);
    const error = toObject(received.error);
    const message = toText(error?.message);
    if (purpose === 'resume' && error) {
      // The same process can start again, but the lost conversation has to be reported.
      session = undefined;
      return { write: begin(), ended: { ok: false, reason: 'session_lost', message: `Droid: ${message}` } };
    }
    if (purpose === 'begin' || purpose === 'resume') {
      if (error)
        return { events: [{ type: 'stderr', content: `Droid did not start a session: ${message}` }] };
      const name = toText(toObject(received.result)?.sessionId) || session || '';
      const step: DialogueStep = name === '' || name === session ? {} : { session: name };
      session = name;
      return { ready: true, ...step };
    }
    if (purpose === 'prompt' && error && turn) return end(failure(message));
    return {};
  }

  function hearMessage(message: JsonObject): AgentEvent[] {
    if (message.role !== 'assistant') return [];
    partial.delete(toText(message.id));
    return contentToEvents(message.content, tools);
  }

  /** A hook's own answer is the only sign that a use was refused, and not failed. */
  function hearHook(params: JsonObject): AgentEvent[] {
    const id = toText(params.hookToolCallId);
    return toObjects(params.hookResults).flatMap(({ stdout }): AgentEvent[] => {
      const answer = toObject(parseObject(toText(stdout))?.hookSpecificOutput);
      if (answer?.permissionDecision !== 'deny' || denied.has(id)) return [];
      denied.set(id, '');
      const content = toText(answer.permissionDecisionReason);
      return [{ type: 'permission_denied', content, tool: tools.get(id) ?? '', tool_use_id: id }];
    });
  }

  function hearNotification(params: JsonObject): DialogueStep {
    switch (params.type) {
      case 'assistant_text_delta': {
        const id = toText(params.messageId);
        partial.set(id, (partial.get(id) ?? '') + toText(params.textDelta));
        return {};
      }
      case 'create_message':
        if (turn && params.requestId === turn.request) turn.id = toText(toObject(params.message)?.id);
        return { events: hearMessage(toObject(params.message) ?? {}) };
      case 'tool_result': {
        const id = toText(params.toolUseId);
        if (pending.has(id)) return {};
        pending.set(id, '');
        const tool = tools.get(id) ?? '';
        const content = contentToText(params.content);
        const is_error = params.isError === true;
        return { events: [{ type: 'tool_result', content, tool, tool_use_id: id, is_error }] };
      }
      case 'llm_retry': {
        const content = `The request to the model is retried (${toText(params.reason) || 'unknown'}), attempt ${toNumber(params.attempt)}.`;
        return { events: [{ type: 'stderr', content }], retrying: true };
      }
      case 'hook_execution_completed':
        return { events: hearHook(params) };
      case 'error':
        if (turn) turn.error = toText(params.message);
        return {};
      case 'agent_turn_completed': {
        // From a subagent, or from an earlier turn.
        const other = turn?.id !== '' && toText(params.turnId) !== '' && params.turnId !== turn?.id;
        if (!turn || other) return {};
        return end({ ...toTurnEnd(params, turn), ...parseUsage(params) });
      }
      default:
        return {};
    }
  }

  function hearRequest(received: JsonObject): DialogueStep {
    // The settings and the hook have already denied whatever must be denied.
    const result =
      received.method === 'droid.request_permission' ? { selectedOption: 'proceed_once' } : undefined;
    const error = { code: -32601, message: 'This request is not supported.' };
    return { write: line({ type: 'response', id: received.id, ...(result ? { result } : { error }) }) };
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
    receive(heard) {
      const received = parseObject(heard);
      if (received?.jsonrpc !== '2.0') return { unreadable: true };
      if (received.type === 'response') return hearResponse(received);
      if (received.type === 'request') return hearRequest(received);
      const params = toObject(toObject(received.params)?.notification);
      if (!params) return {};
      const step = hearNotification(params);
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
  reason: classifyMessage(message),
  message: message || 'Droid gave no reason.',
});

function toTurnEnd(params: JsonObject, turn: { interrupted: boolean; error: string }): TurnEnd {
  const reason = toText(params.reason);
  if (reason === 'completed') return { ok: true, result: '' };
  if (turn.interrupted) return INTERRUPTED;
  const failed = failure(turn.error || `Droid ended the turn: ${reason || 'without a reason'}.`);
  const code = REASONS[reason];
  // "rejected" includes bad requests and "unavailable" includes overload; the error's text is more specific.
  return failed.ok || code === undefined || (VAGUE.includes(reason) && failed.reason !== 'error')
    ? failed
    : { ...failed, reason: code };
}

function parseUsage(params: JsonObject): Pick<TurnEnd, 'usage'> {
  const usage = toObject(params.tokenUsage);
  if (!usage) return {};
  return {
    usage: {
      input_tokens: toNumber(usage.inputTokens),
      output_tokens: toNumber(usage.outputTokens),
      cache_read_tokens: toNumber(usage.cacheReadTokens),
      cache_write_tokens: toNumber(usage.cacheCreationTokens),
    },
  };
}
