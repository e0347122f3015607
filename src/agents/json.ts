/** Reading what a process wrote, of which nothing may be taken for granted. */
import type { AgentEvent } from './dialogue.ts';
import { NESTING_LIMIT, nestsDeeperThan } from './nesting.ts';

export type JsonObject = Record<string, unknown>;

/** A line that is a JSON object, with or without a byte order mark; undefined for anything else, and for one that is nested very deep. */
export function parseObject(line: string): JsonObject | undefined {
  // A byte order mark is white space in JavaScript, but not in JSON.
  const text = line.trim();
  if (!text.startsWith('{') || nestsDeeperThan(NESTING_LIMIT, text)) return undefined;
  try {
    return toObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function toObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

export function toObjects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(toObject).filter((entry) => entry !== undefined) : [];
}

export const toText = (value: unknown): string => (typeof value === 'string' ? value : '');

export const toNumber = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0;

/** The text of a message's or a tool result's `content`, which is a string or a list of blocks. */
export function contentToText(content: unknown): string {
  if (typeof content === 'string') return content;
  return toObjects(content)
    .map((block) => (typeof block.text === 'string' ? block.text : `[${toText(block.type) || 'block'}]`))
    .join('\n');
}

/**
 * The events of an assistant message, whose `content` is the Messages API's list of blocks (texts and tool
 * uses). Adds the tool of each use to `tools`, by the ID of the use.
 */
export function contentToEvents(content: unknown, tools: Map<string, string>): AgentEvent[] {
  return toObjects(content).flatMap((block): AgentEvent[] => {
    const text = toText(block.text);
    if (block.type === 'text' && text !== '') return [{ type: 'message', content: text }];
    if (block.type !== 'tool_use') return [];
    const { input } = block;
    const [tool, tool_use_id] = [toText(block.name), toText(block.id)];
    tools.set(tool_use_id, tool);
    return [{ type: 'tool_use', content: summarizeToolUse(tool, input), tool, tool_use_id, input }];
  });
}

/** Tools that run shell commands, in all supported CLIs. */
const SHELLS = ['Bash', 'Execute'];
/** The input field that contains a tool's target, by the field names that tools use. */
const SUBJECTS = ['file_path', 'path', 'directory_path', 'pattern', 'url', 'query', 'description', 'title'];

/** A use of a tool for people, on one line: the shell command, or the tool and what it is used on. */
export function summarizeToolUse(tool: string, input: unknown): string {
  const object = toObject(input) ?? {};
  if (SHELLS.includes(tool)) return toText(object.command) || tool;
  const subject = SUBJECTS.map((name) => toText(object[name])).find((value) => value !== '');
  return subject === undefined ? tool : `${tool} ${subject.split('\n', 1)[0]}`;
}
