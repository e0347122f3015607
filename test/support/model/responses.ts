/** The Responses API's events (platform.openai.com, "Streaming events"); always a stream, as Codex asks for it. */
import type { ServerResponse } from 'node:http';
import type { Message } from './script.ts';
import {
  type Block,
  beginStream,
  piecesOf,
  saidOf,
  sendEvent,
  sendRefusal,
  type Tool,
  USAGE,
  type Wire,
} from './wire.ts';

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'invalid_request_error',
  429: 'rate_limit_exceeded',
};
const CODES: Record<number, string> = { 401: 'invalid_api_key', 429: 'rate_limit_exceeded' };

interface Item {
  type: string;
  role?: string;
  content?: { type: string; text?: string }[];
}

export const responses: Wire = {
  read(body) {
    const functions = (body.tools ?? []) as { name?: string; parameters?: Tool['input_schema'] }[];
    return {
      model: String(body.model ?? 'stand-in'),
      stream: true,
      messages: ((body.input ?? []) as Item[]).flatMap(messageOf),
      tools: functions.map(({ name = '', parameters }) => ({
        name,
        ...(parameters && { input_schema: parameters }),
      })),
      errand: functions.length === 0,
    };
  },
  refuse(response, status) {
    const error = {
      message: saidOf(status),
      type: TYPES[status] ?? 'server_error',
      param: null,
      code: CODES[status] ?? null,
    };
    sendRefusal(response, status, { error });
  },
  reply(response, _, reply) {
    const id = `resp_${reply}`;
    let items = 0;
    return {
      begin() {
        beginStream(response);
        sendEvent(response, { type: 'response.created', response: { id } });
      },
      async send(block, pause) {
        const item = itemOf(block, `${reply}_${items}`);
        if (item.type === 'message') {
          const empty = { ...item, content: [], status: 'in_progress' };
          sendEvent(response, { type: 'response.output_item.added', output_index: items, item: empty });
          await sendText(response, block, { item_id: item.id, output_index: items }, pause);
        }
        sendEvent(response, { type: 'response.output_item.done', output_index: items, item });
        items += 1;
      },
      fail() {
        const error = { code: 'server_is_overloaded', message: 'The stand-in fails in mid-stream.' };
        sendEvent(response, { type: 'response.failed', response: { id, error } });
        response.end();
      },
      end(stop) {
        const { input_tokens, output_tokens } = USAGE;
        const usage = {
          input_tokens,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: input_tokens + output_tokens,
        };
        if (stop === 'max_tokens' || stop === 'refusal') {
          const reason = stop === 'refusal' ? 'content_filter' : 'max_output_tokens';
          const incomplete_details = { reason };
          sendEvent(response, { type: 'response.incomplete', response: { id, incomplete_details, usage } });
        } else {
          sendEvent(response, { type: 'response.completed', response: { id, usage } });
        }
        response.end();
      },
    };
  },
};

/** Uses of tools are the model's replies too, and their results aren't prompts. */
function messageOf({ type, role = '', content = [] }: Item): Message[] {
  if (type === 'message') {
    return [{ role, content: content.map(({ text = '' }) => ({ type: 'text', text })) }];
  }
  if (/_call$/.test(type)) return [{ role: 'assistant', content: '' }];
  return /_call_output$/.test(type) ? [{ role: 'user', content: [{ type: 'tool_result' }] }] : [];
}

function itemOf(block: Block, id: string): { type: string; id: string; [field: string]: unknown } {
  switch (block.type) {
    case 'tool_use': {
      const call = { call_id: block.id, name: block.name, arguments: JSON.stringify(block.input) };
      return { type: 'function_call', id: `fc_${id}`, ...call };
    }
    case 'thinking':
      return {
        type: 'reasoning',
        id: `rs_${id}`,
        summary: [{ type: 'summary_text', text: block.thinking }],
        encrypted_content: block.signature,
      };
    case 'text': {
      const content = [{ type: 'output_text', text: block.text, annotations: [] }];
      return { type: 'message', id: `msg_${id}`, role: 'assistant', status: 'completed', content };
    }
  }
}

async function sendText(
  response: ServerResponse,
  block: Block,
  where: object,
  pause: () => Promise<void>,
): Promise<void> {
  if (block.type !== 'text') return;
  for (const delta of piecesOf(block.text)) {
    sendEvent(response, { type: 'response.output_text.delta', ...where, content_index: 0, delta });
    await pause();
  }
}
