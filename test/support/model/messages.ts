/** The Messages API's events, or one object (docs.claude.com, "Streaming Messages"). */
import type { ServerResponse } from 'node:http';
import type { Message } from './script.ts';
import {
  type Block,
  beginStream,
  piecesOf,
  type Reply,
  saidOf,
  sendEvent,
  sendJson,
  sendRefusal,
  type Tool,
  USAGE,
  type Wire,
} from './wire.ts';

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

export const messages: Wire = {
  read(body) {
    const tools = (body.tools ?? []) as Tool[];
    return {
      model: String(body.model ?? 'stand-in'),
      stream: body.stream === true,
      messages: (body.messages ?? []) as Message[],
      tools,
      errand: tools.length === 0 && /title|summar/i.test(JSON.stringify(body.system ?? '')),
    };
  },
  refuse(response, status) {
    const error = { type: TYPES[status] ?? 'api_error', message: saidOf(status) };
    sendRefusal(response, status, { type: 'error', error, request_id: 'req_stand_in' });
  },
  reply: (response, { model, stream }, id) => (stream ? streamed : whole)(response, model, `msg_${id}`),
};

function whole(response: ServerResponse, model: string, id: string): Reply {
  const content: Block[] = [];
  return {
    begin() {},
    async send(block) {
      content.push(block);
    },
    fail() {},
    end: (stop) => sendJson(response, messageOf(id, model, content, stop)),
  };
}

function streamed(response: ServerResponse, model: string, id: string): Reply {
  let index = 0;
  return {
    begin() {
      beginStream(response);
      sendEvent(response, { type: 'message_start', message: messageOf(id, model, [], null) });
    },
    async send(block, pause) {
      await sendBlock(response, index, block, pause);
      index += 1;
    },
    fail() {
      const error = { type: 'overloaded_error', message: 'The stand-in fails in mid-stream.' };
      sendEvent(response, { type: 'error', error });
      response.end();
    },
    end(stop) {
      const delta = { stop_reason: stop, stop_sequence: null };
      sendEvent(response, { type: 'message_delta', delta, usage: USAGE });
      sendEvent(response, { type: 'message_stop' });
      response.end();
    },
  };
}

const messageOf = (id: string, model: string, content: Block[], stop: string | null) => ({
  id,
  type: 'message',
  role: 'assistant',
  model,
  content,
  stop_reason: stop,
  stop_sequence: null,
  usage: stop === null ? { ...USAGE, output_tokens: 1 } : USAGE,
});

/** The events of one block. */
async function sendBlock(
  response: ServerResponse,
  index: number,
  block: Block,
  pause: () => Promise<void>,
): Promise<void> {
  const send = (event: { type: string; [field: string]: unknown }) =>
    sendEvent(response, { ...event, index });
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
    for (const piece of piecesOf(block.text)) {
      delta({ type: 'text_delta', text: piece });
      await pause();
    }
  }
  send({ type: 'content_block_stop' });
}
