/** Gemini's generateContent: chunks of one shape, as events without a type or as one object (ai.google.dev/api/generate-content). */
import type { ServerResponse } from 'node:http';
import type { Message } from './script.ts';
import {
  type Block,
  beginStream,
  piecesOf,
  type Reply,
  type Stop,
  saidOf,
  sendJson,
  sendRefusal,
  type Tool,
  USAGE,
  type Wire,
} from './wire.ts';

const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};
const ENDS: Record<Stop, string> = {
  end_turn: 'STOP',
  tool_use: 'STOP',
  max_tokens: 'MAX_TOKENS',
  refusal: 'SAFETY',
};

interface Content {
  role?: string;
  parts?: { text?: string; functionResponse?: unknown }[];
}
interface Declared {
  functionDeclarations?: { name: string; parametersJsonSchema?: Tool['input_schema'] }[];
}

export const contents: Wire = {
  read(body, path) {
    const declared = ((body.tools ?? []) as Declared[]).flatMap(
      ({ functionDeclarations = [] }) => functionDeclarations,
    );
    return {
      model: /models\/([^:/]+):/.exec(path)?.[1] ?? 'stand-in',
      stream: path.endsWith(':streamGenerateContent'),
      messages: ((body.contents ?? []) as Content[]).map(messageOf),
      tools: declared.map(({ name, parametersJsonSchema: schema }) => ({
        name,
        ...(schema && { input_schema: schema }),
      })),
      errand: declared.length === 0,
    };
  },
  refuse(response, status) {
    const error = { code: status, message: saidOf(status), status: STATUSES[status] ?? 'INTERNAL' };
    sendRefusal(response, status, { error });
  },
  reply: (response, { model, stream }) => (stream ? streamed : whole)(response, model),
};

/** Results of tools are nobody's prompts. */
function messageOf({ role, parts = [] }: Content): Message {
  const content = parts.map(({ text }) =>
    text === undefined ? { type: 'tool_result' } : { type: 'text', text },
  );
  return { role: role === 'model' ? 'assistant' : 'user', content };
}

function whole(response: ServerResponse, model: string): Reply {
  const parts: object[] = [];
  return {
    begin() {},
    async send(block) {
      parts.push(partOf(block));
    },
    fail() {},
    end: (stop) => sendJson(response, chunkOf(model, parts, stop)),
  };
}

function streamed(response: ServerResponse, model: string): Reply {
  const send = (parts: object[], stop?: Stop) =>
    response.write(`data: ${JSON.stringify(chunkOf(model, parts, stop))}\r\n\r\n`);
  return {
    begin() {
      beginStream(response);
      response.flushHeaders();
    },
    async send(block, pause) {
      const texts = block.type === 'text' ? piecesOf(block.text) : [];
      for (const text of texts) {
        send([{ text }]);
        await pause();
      }
      if (block.type !== 'text') send([partOf(block)]);
    },
    fail: () => response.destroy(),
    end(stop) {
      send([], stop);
      response.end();
    },
  };
}

function partOf(block: Block): object {
  if (block.type === 'text') return { text: block.text };
  if (block.type === 'thinking') return { text: block.thinking, thought: true };
  return { functionCall: { name: block.name, args: block.input } };
}

const chunkOf = (model: string, parts: object[], stop?: Stop) => ({
  candidates: [
    { content: { role: 'model', parts }, index: 0, ...(stop !== undefined && { finishReason: ENDS[stop] }) },
  ],
  ...(stop !== undefined && {
    usageMetadata: {
      promptTokenCount: USAGE.input_tokens,
      candidatesTokenCount: USAGE.output_tokens,
      totalTokenCount: USAGE.input_tokens + USAGE.output_tokens,
    },
  }),
  modelVersion: model,
});
