import type { AgentEvent, TurnEnd } from '../../src/agents/dialogue.ts';
import type { OutputType } from '../../src/model/messages/message.ts';
import { characterBorder } from '../agent/line-reader.ts';
import { PIECE_BYTES, RESULT_BYTES, TOOL_NAME_BYTES } from '../streams/limits.ts';
import type { EntryFields } from '../streams/output-queue.ts';

/** An entry of the output stream without its number. */
export interface EntryContent {
  type: OutputType;
  content: string;
  fields: EntryFields;
}

/** Converts an agent's event to an output entry, cut to the maximum size of an entry. */
export function toEntryContent(event: AgentEvent): EntryContent {
  const { type, content, ...rest } = event;
  const shortened = cut(content, PIECE_BYTES);
  const fields: EntryFields = { ...rest };
  for (const name of ['tool', 'tool_use_id'])
    if (typeof fields[name] === 'string') fields[name] = cut(fields[name], TOOL_NAME_BYTES).text;
  let truncated = shortened.truncated;
  if (event.type === 'tool_use') {
    const input = cut(JSON.stringify(event.input) ?? 'null', PIECE_BYTES);
    // A cut value isn't JSON any more, so it is reported as text.
    if (input.truncated) fields.input = input.text;
    truncated ||= input.truncated;
  }
  if (type === 'stderr') fields.lines = shortened.text.split('\n').length;
  if (truncated) fields.truncated = true;
  return { type, content: shortened.text, fields };
}

/** Converts the end of a turn to an output entry; `seconds` is its duration. */
export function toTurnEndContent(end: TurnEnd, seconds: number, session: string | undefined): EntryContent {
  const shortened = cut(end.ok ? end.result : end.message, RESULT_BYTES);
  const fields: EntryFields = {
    ...(end.ok ? { result: shortened.text } : { reason: end.reason }),
    ...(end.usage && { usage: end.usage }),
    ...(end.cost_usd !== undefined && { cost_usd: end.cost_usd }),
    duration_seconds: Math.round(seconds * 1000) / 1000,
    ...(session !== undefined && { session_id: session }),
    ...(shortened.truncated && { truncated: true }),
  };
  return { type: end.ok ? 'turn_completed' : 'turn_failed', content: shortened.text, fields };
}

/** At most `bytes` of a text, without a split character. */
export function cut(text: string, bytes: number): { text: string; truncated: boolean } {
  // An agent's JSON may contain a lone surrogate, which not every client can encode.
  if (text.length <= bytes / 3 || Buffer.byteLength(text) <= bytes)
    return { text: text.toWellFormed(), truncated: false };
  const window = Buffer.from(text.slice(0, bytes)).subarray(0, bytes);
  return { text: window.toString('utf8', 0, characterBorder(window)), truncated: true };
}
