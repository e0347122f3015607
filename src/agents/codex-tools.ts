import {
  contentToText,
  type JsonObject,
  summarizeToolUse,
  toNumber,
  toObject,
  toObjects,
  toText,
} from './json.ts';
import { unquoteShellWord } from './shell-word.ts';

/** A tool use and its result, if there is one yet. */
export interface ToolItem {
  tool: string;
  content: string;
  input: unknown;
  result: { content: string; is_error: boolean };
}

/** Parses an item of the conversation as a tool use; undefined if it is something else. */
export function parseToolItem(item: JsonObject): ToolItem | undefined {
  const is_error = toText(item.status) === 'failed' || toText(item.status) === 'declined';
  switch (item.type) {
    case 'commandExecution': {
      const command = extractCommand(toText(item.command));
      const output = toText(item.aggregatedOutput);
      const code = toNumber(item.exitCode);
      const content = code === 0 ? output : `Exit code ${code}\n${output}`;
      return { tool: 'Bash', content: command, input: { command }, result: { content, is_error } };
    }
    case 'fileChange': {
      const paths = toObjects(item.changes).map(({ path }) => toText(path));
      const content = ['apply_patch', ...paths].join(' ');
      const result = { content: is_error ? 'The change was not made.' : 'Done.', is_error };
      return { tool: 'apply_patch', content, input: { changes: item.changes ?? [] }, result };
    }
    case 'mcpToolCall': {
      const tool = `mcp__${toText(item.server)}__${toText(item.tool)}`;
      const content = toText(toObject(item.error)?.message) || contentToText(toObject(item.result)?.content);
      return createToolItem(tool, item.arguments, { content, is_error });
    }
    case 'dynamicToolCall':
      return createToolItem(toText(item.tool), item.arguments, {
        content: contentToText(item.contentItems),
        is_error,
      });
    case 'collabAgentToolCall':
      return createToolItem(
        toText(item.tool),
        { description: toText(item.prompt) },
        { content: '', is_error },
      );
    case 'webSearch':
      return createToolItem('web_search', { query: toText(item.query) }, { content: '', is_error });
    case 'imageView':
      return createToolItem('view_image', { path: toText(item.path) }, { content: '', is_error });
    default:
      return undefined;
  }
}

function createToolItem(tool: string, given: unknown, result: ToolItem['result']): ToolItem {
  const input = given ?? {};
  return { tool, content: summarizeToolUse(tool, input), input, result };
}

/** The shell command as the model wrote it; the item contains the shell's whole argv as one line. */
function extractCommand(argv: string): string {
  const [, script] = /^\S*sh -l?c ([\s\S]*)$/.exec(argv) ?? [];
  return script === undefined ? argv : unquoteShellWord(script);
}
