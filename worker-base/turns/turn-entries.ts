import type { AgentEvent, TurnEnd } from '../../src/agents/dialogue.ts';
import type { OutputType } from '../../src/model/message.ts';
import { characterBorder } from '../agent/line-reader.ts';
import { PIECE_BYTES, RESULT_BYTES, TOOL_NAME_BYTES } from '../streams/limits.ts';
import type { EntryFields } from '../streams/output-queue.ts';

/** An entry of the output stream that is still to be numbered. */
export interface EntryContent {
  type: OutputType;
  content: string;
  fields: EntryFields;
}

/** An agent's event as it stands on the output stream, cut to what an entry holds. */
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

/** The end of a turn as it stands on the output stream; `seconds` is how long it took. */
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

/** At most `bytes` of a text, no character torn. */
export function cut(text: string, bytes: number): { text: string; truncated: boolean } {
  // An agent's JSON may hold half a character, which not every reader of ours can write.
  if (text.length <= bytes / 3 || Buffer.byteLength(text) <= bytes)
    return { text: text.toWellFormed(), truncated: false };
  const window = Buffer.from(text.slice(0, bytes)).subarray(0, bytes);
  return { text: window.toString('utf8', 0, characterBorder(window)), truncated: true };
}
