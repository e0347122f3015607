import type { ApiPlugin } from '../http/api.ts';
import { createMcpRoutes } from '../mcp/routes.ts';
import type { McpServices } from '../mcp/tool.ts';
import type { ServeOptions } from './options.ts';

/** The tools for agents, with the limits of the settings. */
export const openMcp = (
  { settings, version, log }: Pick<ServeOptions, 'settings' | 'version' | 'log'>,
  services: McpServices,
): ApiPlugin =>
  createMcpRoutes({
    services,
    limits: {
      maxWorkers: settings.mcpMaxWorkers,
      maxSeconds: settings.mcpMaxSeconds,
      maxDepth: settings.mcpMaxDepth,
      images: settings.mcpImages,
      secrets: settings.mcpSecrets,
      url: settings.mcpUrl,
    },
    token: settings.apiToken,
    version,
    log,
  });
