/**
 * An agent of the Agent Client Protocol, driven by its official SDK: JSON-RPC in both directions over
 * lines. The wrapper is the client; it offers neither files nor terminals, because the agent has its own.
 *
 * Loaded only if it is used: the SDK and its schemas would double the start of every other body.
 */
import {
  type AgentCapabilities,
  type AnyMessage,
  type ClientConnection,
  client,
  type LoadSessionResponse,
  methods,
  PROTOCOL_VERSION,
  type PromptRequest,
  type PromptResponse,
  RequestError,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
} from '@agentclientprotocol/sdk';
import type { DialogueStep, TokenUsage, TurnEnd } from '../../src/agents/dialogue.ts';
import { classifyMessage } from '../../src/agents/failure.ts';
import { parseObject, toNumber, toObject } from '../../src/agents/json.ts';
import type { Denials } from '../sandbox/denials.ts';
import { AcpEvents, getShellCommand } from './acp-events.ts';
import { type AgentProtocol, introduce, type OpenProtocol } from './session.ts';

/** ACP's own error for "log in first". */
const AUTH_REQUIRED = -32_000;
const LOST = 'The agent could not resume the conversation; the next prompt starts a new one.';

type AcpOptions = Parameters<OpenProtocol>[0] & { denials: Denials; allowed: string[] | undefined };

/** Creates the protocol; the handshake starts with its `open`. */
export async function openAcp(order: AcpOptions): Promise<AgentProtocol> {
  return new AcpProtocol(order);
}

class AcpProtocol implements AgentProtocol {
  readonly #order: AcpOptions;
  readonly #send: (step: DialogueStep) => void;
  #incoming: ReadableStreamDefaultController<AnyMessage> | undefined;
  #connection: ClientConnection | undefined;
  #session = '';
  #events: AcpEvents;
  #inTurn = false;
  #lost = false;
  #closed = false;

  constructor(order: AcpOptions) {
    this.#order = order;
    this.#send = order.send;
    this.#events = new AcpEvents(order.session !== undefined);
  }

  open(): void {
    const readable = new ReadableStream<AnyMessage>({
      start: (controller) => {
        this.#incoming = controller;
      },
    });
    const writable = new WritableStream<AnyMessage>({
      write: (message) => this.#send({ write: `${JSON.stringify(message)}\n` }),
    });
    this.#connection = client({ name: 'worker-manager' })
      .onNotification(methods.client.session.update, ({ params }) => {
        // An earlier body has already reported what an agent replays of a resumed conversation.
        if (params.sessionId !== this.#session || !this.#inTurn) return;
        const events = this.#events.receive(params.update);
        if (events.length > 0) this.#send({ events });
      })
      .onRequest(methods.client.session.requestPermission, ({ params }) => this.#permit(params))
      .connect({ readable, writable });
    this.#initialize(this.#connection).then(
      () => this.#send({ ...(this.#session && { session: this.#session }), ready: true }),
      // The handshake's timeout ends a session that cannot start; this reports why.
      (error) =>
        this.#send({
          events: [{ type: 'stderr', content: `The agent did not start a session: ${toErrorText(error)}` }],
        }),
    );
  }

  prompt(content: string, notice: string | undefined): void {
    this.#events.begin();
    this.#inTurn = true;
    if (this.#lost) this.#end({ ok: false, reason: 'session_lost', message: LOST });
    else void this.#runTurn(introduce(content, notice));
  }

  interrupt(): void {
    void this.#connection?.agent
      .notify(methods.agent.session.cancel, { sessionId: this.#session })
      .catch(() => {});
  }

  receive(line: string): void {
    const message = parseObject(line);
    if (!message || !('jsonrpc' in message)) this.#send({ unreadable: true });
    else if (!this.#closed) this.#incoming?.enqueue(message as AnyMessage);
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }

  async #runTurn(text: string): Promise<void> {
    const params: PromptRequest = { sessionId: this.#session, prompt: [{ type: 'text', text }] };
    try {
      const answer = await this.#connection?.agent.request(methods.agent.session.prompt, params);
      const usage = answer && parseUsage(answer);
      this.#end({ ...this.#toTurnEnd(answer?.stopReason ?? 'end_turn'), ...(usage && { usage }) });
    } catch (error) {
      this.#end(toTurnFailure(error));
    }
  }

  async #initialize({ agent }: ClientConnection): Promise<void> {
    const { workspace: cwd, session } = this.#order;
    const { agentCapabilities } = await agent.request(methods.agent.initialize, {
      protocolVersion: PROTOCOL_VERSION,
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
      clientInfo: { name: 'worker-manager', version: '1' },
    });
    try {
      if (session !== undefined) await this.#resume(agent, session, agentCapabilities);
      this.#session =
        session ?? (await agent.request(methods.agent.session.new, { cwd, mcpServers: [] })).sessionId;
    } catch (error) {
      if (session === undefined) throw error;
      // Reported with the next prompt, which must not start as if there had been no conversation.
      this.#lost = true;
    }
  }

  async #resume(
    agent: ClientConnection['agent'],
    sessionId: string,
    can: AgentCapabilities | undefined,
  ): Promise<void> {
    const known = { sessionId, cwd: this.#order.workspace, mcpServers: [] };
    if (can?.sessionCapabilities?.resume) await agent.request(methods.agent.session.resume, known);
    else if (can?.loadSession) {
      const loaded: LoadSessionResponse | undefined = await agent.request(methods.agent.session.load, known);
      // Gemini CLI continues its replay after it has answered. It reads the next request when that is done,
      // and setting the current mode changes nothing.
      const modeId = loaded?.modes?.currentModeId;
      // An agent that doesn't know this request has its session anyway.
      if (modeId !== undefined)
        await agent.request(methods.agent.session.setMode, { sessionId, modeId }).catch(() => {});
    } else throw new Error('It does not support resuming a conversation.');
  }

  #end(ended: TurnEnd): void {
    // The end of its process reports its end.
    if (this.#closed) return;
    this.#inTurn = false;
    const events = this.#events.end();
    const cost_usd = this.#events.cost();
    this.#send({ events, ended: { ...ended, ...(cost_usd !== undefined && { cost_usd }) } });
  }

  #toTurnEnd(reason: string): TurnEnd {
    if (reason === 'end_turn') return { ok: true, result: this.#events.lastMessage() };
    if (reason === 'cancelled')
      return { ok: false, reason: 'interrupted', message: 'The turn was interrupted.' };
    if (reason === 'refusal')
      return { ok: false, reason: 'refused', message: 'The model refused to answer.' };
    return { ok: false, reason: 'limit', message: `The agent stopped at one of its own limits: ${reason}.` };
  }

  /** There is no user to confirm, so everything that `allowed_commands` allows is permitted. */
  #permit({ toolCall, options }: RequestPermissionRequest): RequestPermissionResponse {
    if (this.#inTurn) this.#send({ events: this.#events.requestPermission(toolCall) });
    const command = getShellCommand(toolCall);
    const judged =
      this.#order.allowed && command !== undefined
        ? this.#order.denials.evaluate({
            tool_name: 'Bash',
            tool_input: { command },
            tool_use_id: toolCall.toolCallId,
          }).hookSpecificOutput?.permissionDecision
        : 'allow';
    const wanted = judged === 'deny' ? ['reject_once', 'reject_always'] : ['allow_once', 'allow_always'];
    const option = wanted.map((kind) => options.find((offered) => offered.kind === kind)).find(Boolean);
    return {
      outcome: option ? { outcome: 'selected', optionId: option.optionId } : { outcome: 'cancelled' },
    };
  }
}

/** Tokens of the turn, which the protocol does not define: in Gemini CLI's form. */
function parseUsage({ _meta }: PromptResponse): TokenUsage | undefined {
  const counted = toObject(toObject(_meta?.quota)?.token_count);
  if (!counted) return undefined;
  return { input_tokens: toNumber(counted.input_tokens), output_tokens: toNumber(counted.output_tokens) };
}

function toTurnFailure(error: unknown): TurnEnd {
  const message = toErrorText(error);
  const code = error instanceof RequestError ? error.code : 0;
  return { ok: false, reason: code === AUTH_REQUIRED ? 'authentication' : classifyMessage(message), message };
}

function toErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const data = error instanceof RequestError && error.data ? ` ${JSON.stringify(error.data)}` : '';
  return `${error.message}${data}`;
}
