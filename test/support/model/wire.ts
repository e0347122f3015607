/** How a reply stands on the wire: what the three APIs that are stood in for have in common, and what each does alone. */
import type { ServerResponse } from 'node:http';
import type { Act, Message } from './script.ts';

export interface Tool {
  name: string;
  input_schema?: { required?: string[]; properties?: Record<string, { type?: string; enum?: string[] }> };
}

export type Block =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> };

export type Stop = 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal';

/** What of a request the script goes by. */
export interface Question {
  model: string;
  stream: boolean;
  messages: Message[];
  tools: Tool[];
  /** A request beside the conversation, such as for its title: it follows no script. */
  errand: boolean;
}

/** A reply on its way. */
export interface Reply {
  /** The head of a stream; once. */
  begin(): void;
  /** `pause` is called between pieces. */
  send(block: Block, pause: () => Promise<void>): Promise<void>;
  /** An error in the midst of a stream, and the end of it. */
  fail(): void;
  end(stop: Stop): void;
}

/** One API. */
export interface Wire {
  read(body: Record<string, unknown>, path: string): Question;
  reply(response: ServerResponse, question: Question, id: string): Reply;
  refuse(response: ServerResponse, status: number): void;
}

/** Tokens of every reply, so that sums can be foretold. */
export const USAGE = { input_tokens: 100, output_tokens: 20 };

/** What an error says, in every API. */
export const saidOf = (status: number): string => `The stand-in was told to answer ${status}.`;

/** An error as JSON, with the header that says when to come again. */
export function sendRefusal(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 429 && { 'retry-after': '1' }),
  });
  response.end(JSON.stringify(body));
}

export function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
}

/** One server-sent event. */
export function sendEvent(response: ServerResponse, event: { type: string; [field: string]: unknown }): void {
  response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** A text in a few pieces. */
export const piecesOf = (text: string): string[] => text.match(/.{1,4096}?(?:\s|$)|.{1,4096}/gs) ?? [''];

/** The tools that run a shell command, as the agents name them. */
const SHELLS = ['Bash', 'Execute', 'exec_command', 'run_shell_command'];

/** The block that an act stands for; undefined where it is none. `id` is the tool use's. */
export function blockOf(act: Act, tools: Tool[], id: string): Block | undefined {
  switch (act.do) {
    case 'say':
      return { type: 'text', text: act.text };
    case 'think':
      return { type: 'thinking', thinking: act.text, signature: 'c3RhbmQtaW4=' };
    case 'run': {
      const shell = tools.find(({ name }) => SHELLS.includes(name));
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
  const named = 'cmd' in properties ? 'cmd' : 'command';
  const others = required.filter((name) => name !== named);
  return {
    [named]: command,
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
