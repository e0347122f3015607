/** A client of the tools: the official SDK's, in each of the protocol's two kinds of revisions. */
import {
  type CallToolRequestParams,
  Client,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';

/** `modern`: stateless, from 2026-07-28 on. `legacy`: with a handshake, up to 2025-11-25. */
export const ERAS = ['modern', 'legacy'] as const;
export type Era = (typeof ERAS)[number];

export interface Answer {
  isError: boolean;
  value: any;
}

interface CallOptions {
  signal?: AbortSignal;
  onprogress?: (progress: { message?: string | undefined }) => void;
}

export interface ToolClient {
  client: Client;
  call(name: string, args?: object, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export const toMode = (era: Era) => (era === 'legacy' ? ('legacy' as const) : { pin: '2026-07-28' });

/** Connects over HTTP; `token` is the manager's or a worker's. */
export async function connectTools(manager: { url: string; token: string }, era: Era): Promise<ToolClient> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: toMode(era) } });
  const headers = { authorization: `Bearer ${manager.token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL('/mcp', manager.url), { requestInit: { headers } }),
  );
  return useTools(client);
}

export const useTools = (client: Client): ToolClient => ({
  client,
  async call(name, args = {}, options = {}) {
    const params = { name, arguments: args } as CallToolRequestParams;
    const result = await client.callTool(params, { timeout: 120_000, ...options });
    const [content] = result.content as { text?: string }[];
    const text = content?.text ?? '';
    return { isError: result.isError === true, value: text.startsWith('{') ? JSON.parse(text) : text };
  },
  close: () => client.close(),
});
