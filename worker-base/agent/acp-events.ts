import type { SessionUpdate, ToolCallContent, ToolCallUpdate } from '@agentclientprotocol/sdk';
import { BoundedMap, MESSAGE_CHARACTERS } from '../../src/agents/bounded-map.ts';
import type { AgentEvent } from '../../src/agents/dialogue.ts';
import { summarizeToolUse } from '../../src/agents/json.ts';
import { takeHead } from '../../src/model/values/cut.ts';

interface Tool {
  name: string;
  input: unknown;
  content: string;
  reported: boolean;
}

/**
 * Translates the updates of an ACP session to our events. Text arrives in chunks and is reported when another
 * update arrives.
 */
export class AcpEvents {
  readonly #tools = new BoundedMap<Tool>({ entries: 256, characters: 0 });
  #text = '';
  #last = '';
  #spent: number | undefined;
  #costBefore: number | undefined;

  constructor(resumed: boolean) {
    // The cost before this process is unknown, so the cost of its first turn is unknown as well.
    this.#spent = resumed ? undefined : 0;
  }

  /** A turn starts. */
  begin(): void {
    this.#text = '';
    this.#last = '';
    this.#tools.clear();
    this.#costBefore = this.#spent;
  }

  /** US dollars of this turn, if the agent reports the cost of the whole session. */
  cost(): number | undefined {
    if (this.#spent === undefined || this.#costBefore === undefined || this.#spent === 0) return undefined;
    return this.#spent - this.#costBefore;
  }

  receive(update: SessionUpdate): AgentEvent[] {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        if (update.content.type === 'text') this.#text = upTo(this.#text + update.content.text);
        return [];
      case 'tool_call':
      case 'tool_call_update':
        return [...this.flush(), ...this.#tool(update)];
      case 'usage_update':
        if (update.cost?.currency === 'USD') this.#spent = update.cost.amount;
        return [];
      default:
        return [];
    }
  }

  /** The agent requests permission. Some agents report a use only this way, and a denied one not again. */
  requestPermission(call: ToolCallUpdate): AgentEvent[] {
    return [
      ...this.flush(),
      ...this.#tool({ ...call, sessionUpdate: 'tool_call_update', status: 'in_progress' }),
    ];
  }

  /** The turn is over: reports the remaining text and the end of uses without a reported result. */
  end(): AgentEvent[] {
    const events = this.flush();
    for (const [tool_use_id, { name: tool, reported }] of this.#tools) {
      const content = 'The agent reported no result.';
      if (reported) events.push({ type: 'tool_result', content, tool, tool_use_id, is_error: true });
    }
    this.#tools.clear();
    return events;
  }

  /** Text that is not reported yet. */
  flush(): AgentEvent[] {
    if (this.#text === '') return [];
    this.#last = this.#text;
    this.#text = '';
    return [{ type: 'message', content: this.#last }];
  }

  /** The last text, which is the turn's result. */
  lastMessage(): string {
    return this.#text || this.#last;
  }

  #tool(update: Extract<SessionUpdate, { sessionUpdate: 'tool_call' | 'tool_call_update' }>): AgentEvent[] {
    const { toolCallId: tool_use_id, status } = update;
    const tool = this.#tools.get(tool_use_id) ?? { name: '', input: undefined, content: '', reported: false };
    this.#tools.set(tool_use_id, tool);
    const command = getShellCommand(update);
    // The title of such a use is the command, not a name.
    const named = update.name ?? (command === undefined ? update.title : 'Shell');
    tool.name = named ?? tool.name;
    tool.input = update.rawInput ?? (command === undefined ? tool.input : { command });
    tool.content = update.content ? upTo(contentToText(update.content)) : tool.content;
    if (update.rawOutput !== undefined && !tool.content)
      tool.content = upTo(
        typeof update.rawOutput === 'string' ? update.rawOutput : JSON.stringify(update.rawOutput),
      );
    const over = status === 'completed' || status === 'failed';
    const events: AgentEvent[] = [];
    // A call is announced before its input is known; it is reported when it runs.
    // Its reported input is not kept.
    if (!tool.reported && (over || status === 'in_progress' || tool.input !== undefined)) {
      tool.reported = true;
      const input = tool.input ?? {};
      events.push({ type: 'tool_use', content: summarizeTool(tool), tool: tool.name, tool_use_id, input });
      tool.input = undefined;
    }
    if (over) {
      const is_error = status === 'failed';
      events.push({ type: 'tool_result', content: tool.content, tool: tool.name, tool_use_id, is_error });
      this.#tools.delete(tool_use_id);
    }
    return events;
  }
}

/** The shell command of a use, from each agent's own field; without an input, the title has it. */
export function getShellCommand({ kind, title, rawInput }: Partial<ToolCallUpdate>): string | undefined {
  const { command } = (rawInput ?? {}) as { command?: unknown };
  if (typeof command === 'string') return command;
  if (Array.isArray(command)) return command.join(' ');
  return kind === 'execute' && rawInput == null ? (title ?? undefined) : undefined;
}

const upTo = (text: string): string =>
  text.length > MESSAGE_CHARACTERS ? takeHead(text, MESSAGE_CHARACTERS) : text;

function summarizeTool({ name, input }: Tool): string {
  const { command } = (input ?? {}) as { command?: unknown };
  return typeof command === 'string' ? command : summarizeToolUse(name, input);
}

function contentToText(content: ToolCallContent[]): string {
  return content
    .map((part) => {
      if (part.type === 'content')
        return part.content.type === 'text' ? part.content.text : `[${part.content.type}]`;
      return part.type === 'diff' ? `[diff of ${part.path}]` : '[terminal]';
    })
    .join('\n');
}
