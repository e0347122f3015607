/** An agent on the official SDK of the Agent Client Protocol, whose sessions are files in its directory. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import {
  agent,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  RequestError,
  type RequestPermissionRequest,
  type SessionUpdate,
} from '@agentclientprotocol/sdk';

const said = new Map<string, string[]>();
const cancelled = new Map<string, () => void>();
const file = (id: string) => `session-${id}.json`;

const app = agent({ name: 'acp-agent' })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: PROTOCOL_VERSION,
    agentCapabilities: { loadSession: true },
  }))
  .onRequest(methods.agent.session.new, () => {
    const sessionId = randomUUID();
    said.set(sessionId, []);
    return { sessionId };
  })
  .onRequest(methods.agent.session.load, async ({ params: { sessionId }, client }) => {
    if (!existsSync(file(sessionId))) throw new RequestError(-32_002, 'no such session');
    said.set(sessionId, JSON.parse(readFileSync(file(sessionId), 'utf8')));
    await client.notify(methods.client.session.update, {
      sessionId,
      update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'a replay' } },
    });
    return {};
  })
  .onNotification(methods.agent.session.cancel, ({ params }) => cancelled.get(params.sessionId)?.())
  .onRequest(methods.agent.session.prompt, async ({ params: { sessionId, prompt }, client }) => {
    const text = prompt.map((block) => (block.type === 'text' ? block.text : '')).join('');
    const tell = (update: SessionUpdate) =>
      client.notify(methods.client.session.update, { sessionId, update });
    const words = said.get(sessionId) ?? [];
    words.push(text);
    writeFileSync(file(sessionId), JSON.stringify(words));
    if (text === 'hang') {
      await new Promise<void>((resolve) => cancelled.set(sessionId, resolve));
      return { stopReason: 'cancelled' };
    }
    if (text === 'fail') throw new RequestError(-32_603, 'the endpoint is away');
    const command = /^run (.*)$/.exec(text)?.[1];
    if (command !== undefined) {
      const toolCall = { toolCallId: 'c1', title: 'Shell', kind: 'execute' as const, rawInput: { command } };
      await tell({ sessionUpdate: 'tool_call', status: 'pending', ...toolCall });
      const question: RequestPermissionRequest = {
        sessionId,
        toolCall,
        options: [
          { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
          { optionId: 'no', name: 'No', kind: 'reject_once' },
        ],
      };
      const { outcome } = await client.request(methods.client.session.requestPermission, question);
      const may = outcome.outcome === 'selected' && outcome.optionId === 'yes';
      await tell({
        sessionUpdate: 'tool_call_update',
        toolCallId: 'c1',
        status: may ? 'completed' : 'failed',
        content: [{ type: 'content', content: { type: 'text', text: may ? 'ran' : 'refused' } }],
      });
    }
    for (const chunk of ['all: ', words.join(' ')])
      await tell({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: chunk } });
    return { stopReason: 'end_turn' };
  });

const stream = ndJsonStream(
  Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
  Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
);
await app.connect(stream).closed;
process.exit(0);
