/** What agents may do with the tools, as the operator has set it. */
export interface McpLimits {
  /** MCP_MAX_WORKERS: how many workers that were created with the tools may live at the same time. */
  maxWorkers: number;
  /** MCP_MAX_SECONDS: the longest lifetime of such a worker. */
  maxSeconds: number;
  /** MCP_MAX_DEPTH: how many generations of workers may come from a worker; 0 is none. */
  maxDepth: number;
  /** MCP_IMAGES: the images that may be named. */
  images: readonly string[];
  /** MCP_SECRETS: the secrets that may be named. */
  secrets: readonly string[];
  /** MCP_URL: the manager's address from a body. */
  url: string | undefined;
}
