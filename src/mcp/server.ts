/**
 * The manager's MCP server: tools with which agents use workers, within the operator's limits. The official SDK implements the
 * protocol, in its stateless revision (2026-07-28) and in those before it.
 *
 * Invariants: no session is kept, so nothing grows with the number of clients and a restart loses nothing; every call is
 * checked against the limits and against what its caller may see; a call that is cancelled stops waiting. Must not import
 * the store, the runtimes or the loop.
 */
import { type CallToolResult, McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { Fault, toRedisFault } from '../model/index.ts';
import { MCP_INSTRUCTIONS, MCP_NAME, MCP_TITLE } from './about.ts';
import type { McpCaller } from './caller.ts';
import type { McpLimits } from './limits.ts';
import { createProgress } from './progress.ts';
import type { McpServices } from './tool.ts';
import { MCP_TOOLS } from './tools/index.ts';

export interface McpServerOptions {
  services: McpServices;
  limits: McpLimits;
  version: string;
  log: { error(fields: object, message: string): void };
}

/** A server for one request of the caller. */
export function createMcpServer(
  { services, limits, version, log }: McpServerOptions,
  { caller, cancelled }: { caller: McpCaller; cancelled: AbortSignal },
): McpServer {
  const server = new McpServer(
    { name: MCP_NAME, title: MCP_TITLE, version },
    { instructions: MCP_INSTRUCTIONS },
  );
  for (const { name, title, description, input, annotations, run } of MCP_TOOLS)
    server.registerTool(
      name,
      { title, description, inputSchema: input, annotations: { openWorldHint: true, ...annotations } },
      async (given: unknown, context: ServerContext) => {
        const signal = AbortSignal.any([context.mcpReq.signal, cancelled]);
        const progress = createProgress(context, signal);
        try {
          const answer = await run(given, { caller, services, limits, signal, progress: progress.report });
          return toResult(answer);
        } catch (thrown) {
          const error = toRedisFault(thrown) ?? thrown;
          if (!(error instanceof Fault) && !signal.aborted)
            log.error({ err: error, tool: name }, 'MCP tool failed');
          return toErrorResult(error, signal.aborted);
        } finally {
          progress.end();
        }
      },
    );
  return server;
}

const toResult = (answer: object): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(answer) }],
});

/** An error that the agent can act on. Other exceptions stay in the log. */
function toErrorResult(error: unknown, cancelled: boolean): CallToolResult {
  const fault =
    error instanceof Fault && error.code !== 'internal'
      ? error
      : new Fault(
          'internal',
          cancelled ? 'The call was cancelled.' : 'Internal error; see the log of the manager.',
        );
  const { code, message, issues } = fault;
  return { ...toResult({ error: { code, message, ...(issues && { issues }) } }), isError: true };
}
