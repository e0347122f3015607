import { once } from 'node:events';
import { Command } from 'commander';
import { requireApi } from '../api/door-api.ts';
import type { Context } from '../context.ts';

export function mcpCommand(context: Context): Command {
  return new Command('mcp')
    .summary('give an agent tools for workers (MCP, on standard input and output)')
    .description(
      "Serve the Model Context Protocol on standard input and output, for an agent that starts this program. The tools are those of the manager's /mcp, with the limits that its operator has set. Ends with standard input.",
    )
    .addHelpText('after', '\nExample:\n  $ claude mcp add workers -- wm mcp')
    .action(() => serve(context));
}

async function serve(context: Context): Promise<void> {
  // An agent shows the error of a program that ends at once, so a missing manager is reported now.
  requireApi(context);
  const [{ serveStdio }, { RemoteTools }] = await Promise.all([
    import('@modelcontextprotocol/server/stdio'),
    import('../../mcp/remote-tools.ts'),
  ]);
  const tools = new RemoteTools({ find: () => requireApi(context), version: context.deps.version });
  // A file has an end, and is never closed.
  const ended = Promise.race(['end', 'close'].map((event) => once(process.stdin, event)));
  const server = serveStdio(() => tools.createServer(), {
    onerror: (error) => context.out.note(`error: ${error.message}`),
  });
  await ended;
  await server.close();
  await tools.close();
}
