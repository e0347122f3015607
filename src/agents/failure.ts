import type { TurnEnd, TurnFailure } from './dialogue.ts';

/** The end of an interrupted turn, regardless of the agent's own report. */
export const INTERRUPTED: TurnEnd = {
  ok: false,
  reason: 'interrupted',
  message: 'The turn was interrupted.',
};

/** Maps an HTTP status of the model's endpoint to a failure; 529 is the Messages API's own "overloaded". */
export function classifyStatus(status: number): TurnFailure | undefined {
  if (status === 401 || status === 403) return 'authentication';
  if (status === 429) return 'rate_limited';
  if (status === 529 || status === 503) return 'overloaded';
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'invalid_request' : undefined;
}

const PATTERNS: [RegExp, TurnFailure][] = [
  [/no conversation found|session .*not found/i, 'session_lost'],
  [/authenticat|api key|not logged in|unauthori[sz]ed|forbidden/i, 'authentication'],
  [/rate.?limit|too many requests/i, 'rate_limited'],
  [/overloaded/i, 'overloaded'],
  [/econn|enotfound|socket|connect|network|timed? ?out|stream (ended|closed)|terminated/i, 'connection'],
  [/refus|rejected by the model|moderation|usage polic/i, 'refused'],
  [/server.?error|internal error/i, 'server_error'],
  [/invalid.?request|model_not_found|too large|too long/i, 'invalid_request'],
];

/**
 * Finds the reason in an error that is only text, or that contains a status such as `401 {"type":"error"…`.
 */
export function classifyMessage(message: string): TurnFailure {
  const status = /(?:^|error:?\s+|status(?: code)?:?\s+)([45]\d\d)\b/i.exec(message)?.[1];
  const byStatus = status === undefined ? undefined : classifyStatus(Number(status));
  return byStatus ?? PATTERNS.find(([pattern]) => pattern.test(message))?.[1] ?? 'error';
}

/** The reasons that a custom agent may report; only the wrapper detects the others. */
const CODES = [
  'authentication',
  'rate_limited',
  'overloaded',
  'server_error',
  'invalid_request',
  'connection',
  'refused',
  'limit',
] as const satisfies TurnFailure[];

export function classifyCode(word: string): TurnFailure {
  return CODES.find((reason) => reason === word) ?? 'error';
}
