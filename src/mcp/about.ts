/** How the server introduces itself, over HTTP and on stdio. Loads nothing. */
export const MCP_NAME = 'worker-manager';
export const MCP_TITLE = 'Worker manager';
export const MCP_INSTRUCTIONS =
  'Workers are containers or processes in which coding agents or programs run. Create one, send it prompts or run commands in it, and delete it when you are done. A worker keeps running if you stop waiting.';
