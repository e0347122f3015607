import { type Fields, fields, list, number, summaryOfUse, text, textOfContent } from './json.ts';
import { unquoted } from './shell-word.ts';

/** The use of a tool, and its result, as far as it is there. */
export interface ToolItem {
  tool: string;
  content: string;
  input: unknown;
  result: { content: string; is_error: boolean };
}

/** An item of the conversation as the use of a tool; undefined where it is something else. */
export function toolOf(item: Fields): ToolItem | undefined {
  const is_error = text(item.status) === 'failed' || text(item.status) === 'declined';
  switch (item.type) {
    case 'commandExecution': {
      const command = commandIn(text(item.command));
      const output = text(item.aggregatedOutput);
      const code = number(item.exitCode);
      const content = code === 0 ? output : `Exit code ${code}\n${output}`;
      return { tool: 'Bash', content: command, input: { command }, result: { content, is_error } };
    }
    case 'fileChange': {
      const paths = list(item.changes).map(({ path }) => text(path));
      const content = ['apply_patch', ...paths].join(' ');
      const result = { content: is_error ? 'The change was not made.' : 'Done.', is_error };
      return { tool: 'apply_patch', content, input: { changes: item.changes ?? [] }, result };
    }
    case 'mcpToolCall': {
      const tool = `mcp__${text(item.server)}__${text(item.tool)}`;
      const content = text(fields(item.error)?.message) || textOfContent(fields(item.result)?.content);
      return use(tool, item.arguments, { content, is_error });
    }
    case 'dynamicToolCall':
      return use(text(item.tool), item.arguments, { content: textOfContent(item.contentItems), is_error });
    case 'collabAgentToolCall':
      return use(text(item.tool), { description: text(item.prompt) }, { content: '', is_error });
    case 'webSearch':
      return use('web_search', { query: text(item.query) }, { content: '', is_error });
    case 'imageView':
      return use('view_image', { path: text(item.path) }, { content: '', is_error });
    default:
      return undefined;
  }
}

function use(tool: string, given: unknown, result: ToolItem['result']): ToolItem {
  const input = given ?? {};
  return { tool, content: summaryOfUse(tool, input), input, result };
}

/** What the shell was given, as the model wrote it: the item tells the shell's whole argv as one line. */
function commandIn(argv: string): string {
  const [, script] = /^\S*sh -l?c ([\s\S]*)$/.exec(argv) ?? [];
  return script === undefined ? argv : unquoted(script);
}
