/** All tools. A tool is a module here and a line below. */
import type { McpTool } from '../tool.ts';
import { createTool } from './create.ts';
import { deleteTool } from './delete.ts';
import { execTool } from './exec.ts';
import { readFileTool, writeFileTool } from './files.ts';
import { listTool, statusTool } from './look.ts';
import { outputTool } from './output.ts';
import { sendTool } from './send.ts';

export const MCP_TOOLS: readonly McpTool[] = [
  createTool,
  sendTool,
  execTool,
  readFileTool,
  writeFileTool,
  statusTool,
  outputTool,
  listTool,
  deleteTool,
];
