import type { TurnFailure, Usage } from './dialogue.ts';
import { failureOfStatus, failureOfText } from './failure.ts';
import { fields, number, text } from './json.ts';

/** What is said first. Without the experimental part, commands that were left running could not be ended. */
export const HANDSHAKE = {
  clientInfo: { name: 'worker-manager', title: null, version: '1' },
  capabilities: { experimentalApi: true, requestAttestation: false },
};

/** To what it asks of us. Whatever may be refused has been by its configuration and the hook before it asks anybody. */
export function answerTo(method: string): object {
  if (/^item\/(commandExecution|fileChange)\/requestApproval$/.test(method)) {
    return { result: { decision: 'accept' } };
  }
  return { error: { code: -32_601, message: 'This request is not supported.' } };
}

/** An error as it tells it. */
export interface Fault {
  message?: unknown;
  codexErrorInfo?: unknown;
  additionalDetails?: unknown;
}

/** Its words for what went wrong, as far as they are of use. */
const REASONS: Record<string, TurnFailure> = {
  unauthorized: 'authentication',
  usageLimitExceeded: 'limit',
  sessionBudgetExceeded: 'limit',
  rateLimitExceeded: 'rate_limited',
  serverOverloaded: 'overloaded',
  internalServerError: 'server_error',
  badRequest: 'invalid_request',
  modelNotFound: 'invalid_request',
  contextWindowExceeded: 'invalid_request',
  cyberPolicy: 'refused',
  misalignmentPolicyViolation: 'refused',
  httpConnectionFailed: 'connection',
  responseStreamConnectionFailed: 'connection',
  responseStreamDisconnected: 'connection',
};

/** Why the endpoint ended a reply before its end; it is taken for a connection that broke. */
const CUTS: Record<string, TurnFailure> = { content_filter: 'refused', max_output_tokens: 'limit' };

export const sentenceOf = ({ message, additionalDetails }: Fault): string =>
  [text(message), text(additionalDetails)].filter(Boolean).join(': ');

export function outcomeOf({ message, codexErrorInfo: info, additionalDetails }: Fault): {
  reason: TurnFailure;
  message: string;
} {
  const said = sentenceOf({ message, additionalDetails });
  const word = typeof info === 'string' ? info : (Object.keys(fields(info) ?? {})[0] ?? '');
  const status = number(fields(fields(info)?.[word])?.httpStatusCode);
  const cut = /reason: (content_filter|max_output_tokens)\b/.exec(said)?.[1];
  const reason = CUTS[cut ?? ''] ?? failureOfStatus(status) ?? REASONS[word] ?? failureOfText(said);
  return { reason, message: said || 'Codex gave no reason.' };
}

/** Sums up what each reply of the model cost; it counts what was read from a cache as read anew. */
export function usageOf(reply: unknown, before: Usage | undefined): Usage {
  const { inputTokens, cachedInputTokens, outputTokens } = fields(reply) ?? {};
  const cached = number(cachedInputTokens);
  return {
    input_tokens: (before?.input_tokens ?? 0) + number(inputTokens) - cached,
    output_tokens: (before?.output_tokens ?? 0) + number(outputTokens),
    cache_read_tokens: (before?.cache_read_tokens ?? 0) + cached,
  };
}
