/**
 * The manager's tools for a client on stdio: each request is passed on to `/mcp`, which has the limits, and its progress and
 * cancellation with it. Keeps no state that a restart of the manager could invalidate.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, SdkHttpError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type CallToolResult, Server, type ServerContext } from '@modelcontextprotocol/server';
import { MCP_INSTRUCTIONS, MCP_NAME, MCP_TITLE } from './about.ts';

/** How long a manager that does not answer is tried, which it may not while it is restarted, and how often. */
const CONNECT_MS = 8000;
const CONNECT_PAUSE_MS = 250;
/** Longer than any call waits. */
const CALL_MS = 4_000_000;

export interface RemoteToolsOptions {
  /** The manager's address, asked for at each connection: one that was restarted may have another. */
  find: () => { url: string; token: string | undefined };
  version: string;
}

export class RemoteTools {
  readonly #options: RemoteToolsOptions;
  #client: Promise<Client> | undefined;

  constructor(options: RemoteToolsOptions) {
    this.#options = options;
  }

  createServer(): Server {
    const { version } = this.#options;
    const server = new Server(
      { name: MCP_NAME, title: MCP_TITLE, version },
      { capabilities: { tools: {} }, instructions: MCP_INSTRUCTIONS },
    );
    server.setRequestHandler('tools/list', async ({ params }, { mcpReq: { signal } }) => {
      const client = await this.#connect();
      const { tools, nextCursor } = await this.#try(() => client.listTools(params, { signal }), signal);
      return { tools, ...(nextCursor !== undefined && { nextCursor }) };
    });
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      try {
        const client = await this.#connect();
        const { name, arguments: args } = params;
        const call = { name, ...(args && { arguments: args }) };
        const { content, isError } = await this.#try(
          () => client.callTool(call, toCallOptions(context)),
          context.mcpReq.signal,
        );
        return { content, ...(isError !== undefined && { isError }) };
      } catch (error) {
        return toErrorResult(error);
      }
    });
    return server;
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  #connect(): Promise<Client> {
    this.#client ??= this.#try(async () => {
      const giveUpAt = performance.now() + CONNECT_MS;
      for (;;) {
        try {
          return await this.#open();
        } catch (error) {
          if (performance.now() >= giveUpAt || isRefused(error)) throw error;
          await delay(CONNECT_PAUSE_MS);
        }
      }
    });
    return this.#client;
  }

  async #open(): Promise<Client> {
    const { find, version } = this.#options;
    const { url, token } = find();
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const client = new Client({ name: MCP_NAME, version }, { versionNegotiation: { mode: 'auto' } });
    const address = new URL('mcp', url.endsWith('/') ? url : `${url}/`);
    await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers } }));
    return client;
  }

  /** After a failure, the next request connects again: the manager may have been restarted elsewhere. */
  async #try<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!signal?.aborted) this.#client = undefined;
      throw error;
    }
  }
}

function toCallOptions({ mcpReq }: ServerContext) {
  const progressToken = mcpReq._meta?.progressToken;
  return {
    signal: mcpReq.signal,
    timeout: CALL_MS,
    ...(progressToken !== undefined && {
      onprogress: (progress: {
        progress: number;
        total?: number | undefined;
        message?: string | undefined;
      }) => {
        const { progress: value, message = '' } = progress;
        const params = { progressToken, progress: value, message };
        mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {});
      },
    }),
  };
}

/** Whether a manager has answered that it does not accept the request. */
const isRefused = (error: unknown): boolean =>
  error instanceof SdkHttpError && error.status !== undefined && error.status < 500;

/** A failure that the agent can act on. */
function toErrorResult(error: unknown): CallToolResult {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const text = error instanceof Error ? `${error.message}${cause}` : String(error);
  const message = isRefused(error)
    ? `The manager refused the request: ${text}. Check WM_URL and WM_TOKEN, or the context file.`
    : `The manager did not answer: ${text}. Check that it runs, and look at the state before you repeat the call.`;
  const content = [
    { type: 'text' as const, text: JSON.stringify({ error: { code: 'unavailable', message } }) },
  ];
  return { content, isError: true };
}
