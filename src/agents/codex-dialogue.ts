import { createMessageMap, createToolMap } from './bounded-map.ts';
import {
  type CodexError,
  formatCodexError,
  HANDSHAKE,
  responseTo,
  toTokenUsage,
  toTurnFailure,
} from './codex-messages.ts';
import { parseToolItem } from './codex-tools.ts';
import type { AgentEvent, DialogueStep, OpenDialogue, TokenUsage } from './dialogue.ts';
import { INTERRUPTED } from './failure.ts';
import { type JsonObject, parseObject, toNumber, toObject, toObjects, toText } from './json.ts';

const line = (message: object) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`;

interface Turn {
  interrupted: boolean;
  /** Codex's ID of the conversation, once it is known. */
  id: string;
  fault: CodexError | undefined;
  usage: TokenUsage | undefined;
  answer: string;
  /** Tools in use, by the ID of the use. */
  tools: Map<string, string>;
  /** Partial text by message, until the whole message arrives. */
  partial: Map<string, string>;
}

/** The JSON-RPC protocol of Codex's app server, over lines. Unknown messages are ignored. */
export const openCodex: OpenDialogue = ({ workspace, session: resumed }) => {
  let session = resumed ?? '';
  let turn: Turn | undefined;
  let requests = 0;
  const purposes = new Map<number, string>();

  function call(method: string, params: object): string {
    requests += 1;
    purposes.set(requests, method);
    return line({ id: requests, method, params });
  }

  const begin = () => call('thread/start', { cwd: workspace });
  const goOn = () =>
    session === ''
      ? begin()
      : call('thread/resume', { threadId: session, cwd: workspace, excludeTurns: true });
  const stop = (id: string) => call('turn/interrupt', { threadId: session, turnId: id });

  /**
   * Hooks must be trusted before they run. Ours is in the user's configuration; a project's stays untrusted.
   */
  function trust(result: JsonObject): string {
    const hooks = toObjects(result.data).flatMap(({ hooks: found }) => toObjects(found));
    const ours = hooks.filter(({ source, trustStatus }) => source === 'user' && trustStatus !== 'trusted');
    if (ours.length === 0) return goOn();
    const value = Object.fromEntries(
      ours.map(({ key, currentHash }) => [toText(key), { trusted_hash: currentHash }]),
    );
    return call('config/batchWrite', {
      edits: [{ keyPath: 'hooks.state', value, mergeStrategy: 'upsert' }],
      reloadUserConfig: true,
    });
  }

  function hearAnswer(received: JsonObject): DialogueStep {
    const purpose = purposes.get(toNumber(received.id)) ?? '';
    purposes.delete(toNumber(received.id));
    const error = toObject(received.error);
    const result = toObject(received.result) ?? {};
    switch (purpose) {
      case 'initialize':
        return { write: line({ method: 'initialized' }) + call('hooks/list', { cwds: [workspace] }) };
      case 'hooks/list':
        return { write: trust(result) };
      case 'config/batchWrite':
        // Without the hook, only the system denies commands, and it gives no reason.
        return error ? refused(error) : { write: goOn() };
      case 'thread/start':
      case 'thread/resume':
        return hearThread(purpose, result, error);
      case 'turn/start':
        if (!turn) return {};
        if (error) return end({ ok: false, ...toTurnFailure({ message: toText(error.message) }) });
        turn.id = toText(toObject(result.turn)?.id);
        return {};
      default:
        return {};
    }
  }

  const refused = (error: JsonObject): DialogueStep => ({
    events: [{ type: 'stderr', content: `Codex did not start: ${toText(error.message)}` }],
  });

  function hearThread(purpose: string, result: JsonObject, error: JsonObject | undefined): DialogueStep {
    if (error && purpose === 'thread/start') return refused(error);
    if (error) {
      // The same process can start again, but the lost conversation has to be reported.
      session = '';
      const message = `Codex: ${toText(error.message)}`;
      return { write: begin(), ended: { ok: false, reason: 'session_lost', message } };
    }
    const name = toText(toObject(result.thread)?.id);
    const step: DialogueStep = name === session ? {} : { session: name };
    session = name;
    return { ready: true, ...step };
  }

  function end(ended: NonNullable<DialogueStep['ended']>): DialogueStep {
    if (!turn) return {};
    const { partial, tools, usage, interrupted } = turn;
    const events: AgentEvent[] = [...partial.values()].map((content) => ({ type: 'message', content }));
    for (const [tool_use_id, tool] of tools) {
      const content = ended.ok ? 'It continues in the background.' : 'It was ended with the turn.';
      events.push({ type: 'tool_result', content, tool, tool_use_id, is_error: !ended.ok });
    }
    turn = undefined;
    return {
      events,
      // Otherwise, a running command would continue.
      ...(interrupted && { write: call('thread/backgroundTerminals/clean', { threadId: session }) }),
      ended: { ...ended, ...(usage && { usage }) },
    };
  }

  function hearItem(of: Turn, item: JsonObject, over: boolean): AgentEvent[] {
    const id = toText(item.id);
    if (item.type === 'agentMessage') {
      if (!over) return [];
      of.partial.delete(id);
      const content = toText(item.text);
      if (content === '') return [];
      of.answer = content;
      return [{ type: 'message', content }];
    }
    const toolItem = parseToolItem(item);
    if (!toolItem) return [];
    const events: AgentEvent[] = [];
    if (!of.tools.has(id)) {
      const { tool, content, input } = toolItem;
      of.tools.set(id, tool);
      events.push({ type: 'tool_use', content, tool, tool_use_id: id, input });
    }
    if (over) {
      const tool = of.tools.get(id) ?? toolItem.tool;
      of.tools.delete(id);
      events.push({ type: 'tool_result', ...toolItem.result, tool, tool_use_id: id });
    }
    return events;
  }

  /** Codex reports nothing else about a command that our hook denied, not even the command. */
  function hearHook(run: JsonObject): AgentEvent[] {
    if (run.status !== 'blocked' || run.eventName !== 'preToolUse') return [];
    const tool_use_id = toText(run.id).split(':').at(-1) ?? '';
    const tool = 'Bash';
    const content = toObjects(run.entries)
      .map((entry) => toText(entry.text))
      .join('\n');
    return [
      { type: 'tool_use', content: tool, tool, tool_use_id, input: {} },
      { type: 'permission_denied', content, tool, tool_use_id },
      { type: 'tool_result', content, tool, tool_use_id, is_error: true },
    ];
  }

  function hearNotification(method: string, params: JsonObject): DialogueStep {
    // Agents that Codex starts have conversations of their own.
    if (!turn || params.threadId !== session) return {};
    const about = toText(params.turnId) || toText(toObject(params.turn)?.id);
    if (method === 'turn/started' && turn.id === '') turn.id = about;
    if (about !== turn.id) return {};
    switch (method) {
      case 'turn/started':
        // The interrupt arrived before the turn began, so there was nothing to interrupt.
        return turn.interrupted ? { write: stop(turn.id) } : {};
      case 'item/started':
      case 'item/completed':
        return { events: hearItem(turn, toObject(params.item) ?? {}, method === 'item/completed') };
      case 'item/agentMessage/delta': {
        const id = toText(params.itemId);
        turn.partial.set(id, (turn.partial.get(id) ?? '') + toText(params.delta));
        return {};
      }
      case 'hook/completed':
        return { events: hearHook(toObject(params.run) ?? {}) };
      case 'thread/tokenUsage/updated':
        turn.usage = toTokenUsage(toObject(params.tokenUsage)?.last, turn.usage);
        return {};
      case 'error': {
        const fault = (toObject(params.error) ?? {}) as CodexError;
        if (params.willRetry === true) {
          return { events: [{ type: 'stderr', content: formatCodexError(fault) }], retrying: true };
        }
        turn.fault = fault;
        return {};
      }
      case 'turn/completed':
        return hearEnd(turn, toObject(params.turn) ?? {});
      default:
        return {};
    }
  }

  function hearEnd(of: Turn, { status, error }: JsonObject): DialogueStep {
    if (status === 'completed' && !of.fault) return end({ ok: true, result: of.answer });
    if (of.interrupted || status === 'interrupted') return end(INTERRUPTED);
    return end({
      ok: false,
      ...toTurnFailure((toObject(error) as CodexError | undefined) ?? of.fault ?? {}),
    });
  }

  return {
    open: () => ({ write: call('initialize', HANDSHAKE) }),
    prompt(content) {
      const [tools, partial] = [createToolMap(), createMessageMap()];
      turn = { interrupted: false, id: '', fault: undefined, usage: undefined, answer: '', tools, partial };
      const input = [{ type: 'text', text: content, text_elements: [] }];
      return { write: call('turn/start', { threadId: session, input }) };
    },
    interrupt() {
      if (!turn) return {};
      turn.interrupted = true;
      return turn.id === '' ? {} : { write: stop(turn.id) };
    },
    receive(heard) {
      const received = parseObject(heard);
      if (!received) return { unreadable: true };
      const method = toText(received.method);
      if (method !== '' && received.id !== undefined) {
        return { write: line({ id: received.id, ...responseTo(method) }) };
      }
      if (method !== '') return hearNotification(method, toObject(received.params) ?? {});
      return received.id === undefined ? { unreadable: true } : hearAnswer(received);
    },
  };
};
