/** How a reply stands on the wire: the Messages API's events, or one object (docs.claude.com, "Streaming Messages"). */
import type { ServerResponse } from 'node:http';
import type { Act } from './script.ts';

export interface Tool {
  name: string;
  input_schema?: { required?: string[]; properties?: Record<string, { type?: string; enum?: string[] }> };
}

type Block =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> };

/** Tokens of every reply, so that sums can be foretold. */
export const USAGE = { input_tokens: 100, output_tokens: 20 };

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
};

export function sendError(response: ServerResponse, status: number): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 429 && { 'retry-after': '1' }),
  });
  const error = { type: TYPES[status] ?? 'api_error', message: `The stand-in was told to answer ${status}.` };
  response.end(JSON.stringify({ type: 'error', error, request_id: 'req_stand_in' }));
}

/** The block that an act stands for; undefined where it is none. `id` is the tool use's. */
export function blockOf(act: Act, tools: Tool[], id: string): Block | undefined {
  switch (act.do) {
    case 'say':
      return { type: 'text', text: act.text };
    case 'think':
      return { type: 'thinking', thinking: act.text, signature: 'c3RhbmQtaW4=' };
    case 'run': {
      const shell = tools.find(({ name }) => name === 'Bash' || name === 'Execute');
      return { type: 'tool_use', id, name: shell?.name ?? 'Bash', input: shellInput(shell, act.command) };
    }
    case 'tool':
      return { type: 'tool_use', id, name: act.name, input: act.input };
    default:
      return undefined;
  }
}

/** What the shell's tool wants beside the command, as its own schema says. */
function shellInput(tool: Tool | undefined, command: string): Record<string, unknown> {
  const { required = [], properties = {} } = tool?.input_schema ?? {};
  const values: Record<string, unknown> = {
    riskLevel: 'low',
    summary: 'Run a command',
    riskLevelReason: 'As the test wants it',
    description: 'Run a command',
  };
  const others = required.filter((name) => name !== 'command');
  return {
    command,
    ...Object.fromEntries(
      others.map((name) => {
        const { type, enum: allowed } = properties[name] ?? {};
        const value =
          values[name] ?? allowed?.[0] ?? (type === 'boolean' ? false : type === 'string' ? name : 1);
        return [name, value];
      }),
    ),
  };
}

export const messageOf = (id: string, model: string, content: Block[], stop: string | null) => ({
  id,
  type: 'message',
  role: 'assistant',
  model,
  content,
  stop_reason: stop,
  stop_sequence: null,
  usage: stop === null ? { ...USAGE, output_tokens: 1 } : USAGE,
});

/** One server-sent event. */
export function sendEvent(response: ServerResponse, event: { type: string }): void {
  response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** The events of one block; text comes in a few pieces. `pause` is called between them. */
export async function sendBlock(
  response: ServerResponse,
  index: number,
  block: Block,
  pause: () => Promise<void>,
): Promise<void> {
  const send = (event: { type: string; [field: string]: unknown }) =>
    sendEvent(response, { ...event, index } as never);
  const delta = (value: Record<string, unknown>) => send({ type: 'content_block_delta', delta: value });
  if (block.type === 'tool_use') {
    send({ type: 'content_block_start', content_block: { ...block, input: {} } });
    delta({ type: 'input_json_delta', partial_json: JSON.stringify(block.input) });
  } else if (block.type === 'thinking') {
    send({ type: 'content_block_start', content_block: { type: 'thinking', thinking: '', signature: '' } });
    delta({ type: 'thinking_delta', thinking: block.thinking });
    delta({ type: 'signature_delta', signature: block.signature });
  } else {
    send({ type: 'content_block_start', content_block: { type: 'text', text: '' } });
    for (const piece of block.text.match(/.{1,4096}?(?:\s|$)|.{1,4096}/gs) ?? ['']) {
      delta({ type: 'text_delta', text: piece });
      await pause();
    }
  }
  send({ type: 'content_block_stop' });
}
