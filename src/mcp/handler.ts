import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import type { McpCaller } from './caller.ts';
import { createMcpServer, type McpServerOptions } from './server.ts';

/** What a request brings along for its server. */
export interface RequestExtra {
  caller: McpCaller;
  cancelled: AbortSignal;
}

/** Handles requests for `/mcp`, each with a server of its own. */
export const createHandler = (options: McpServerOptions): McpHttpHandler =>
  createMcpHandler(({ authInfo }) => createMcpServer(options, authInfo?.extra as unknown as RequestExtra), {
    // A response that begins at once, and is never silent for long, does not end by the timeouts of clients and proxies.
    responseMode: 'sse',
    onerror: (error) => options.log.error({ err: error }, 'MCP request failed'),
  });
