/** Answers of a bounded size: what an agent reads costs it tokens, and fills its context. */
import { type OutputMessage, takeHead, takeTail } from '../model/index.ts';

/** Characters of one text in an answer. */
export const ANSWER_TEXT = 32_768;
/** Characters of all entries in one answer. */
export const ANSWER_ENTRIES = 65_536;

/** An entry of a worker's output for an agent; a long text is cut, and `truncated` says so. */
export function toAnswerEntry({ type, content, reason, result, request_id, usage }: OutputMessage): {
  type: string;
  content: string;
  [field: string]: unknown;
} {
  const long = content.length > ANSWER_TEXT;
  const answer = typeof result === 'string' ? takeHead(result, ANSWER_TEXT) : undefined;
  return {
    type,
    content: takeHead(content, ANSWER_TEXT),
    ...(reason !== undefined && { reason }),
    ...(answer !== undefined && answer !== content && { result: answer }),
    ...(request_id !== undefined && { request_id }),
    ...(usage !== undefined && { usage }),
    ...(long && { truncated: true }),
  };
}

/** The end of a command's output. */
export const toAnswerTail = (text: string): { text: string; truncated: boolean } => ({
  text: takeTail(text, ANSWER_TEXT),
  truncated: text.length > ANSWER_TEXT,
});
