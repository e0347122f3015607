/**
 * The table of environment variables that the manager reads, each with its allowed values, default and help text.
 * `settings.ts` parses them; error messages, `worker-manager config` and the documentation are generated from it.
 */
import { CHECKPOINTS } from './variables/checkpoints.ts';
import { CONNECTIONS } from './variables/connections.ts';
import { IMAGES } from './variables/images.ts';
import { INTERVALS } from './variables/intervals.ts';
import { MCP } from './variables/mcp.ts';
import { PERMISSIONS } from './variables/permissions.ts';
import { RESOURCES } from './variables/resources.ts';
import { WEBHOOKS } from './variables/webhooks.ts';

/** All variables that the manager reads, keyed by their name in `Settings`. */
export const VARIABLES = {
  ...CONNECTIONS,
  ...INTERVALS,
  ...RESOURCES,
  ...CHECKPOINTS,
  ...IMAGES,
  ...PERMISSIONS,
  ...WEBHOOKS,
  ...MCP,
} as const;
