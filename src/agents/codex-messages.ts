import type { TokenUsage, TurnFailure } from './dialogue.ts';
import { classifyMessage, classifyStatus } from './failure.ts';
import { toNumber, toObject, toText } from './json.ts';

/** What is said first. Without the experimental part, commands that were left running could not be ended. */
export const HANDSHAKE = {
  clientInfo: { name: 'worker-manager', title: null, version: '1' },
  capabilities: { experimentalApi: true, requestAttestation: false },
};

/** Answers to its requests. Its configuration and the hook have refused what may be refused before it asks. */
export function responseTo(method: string): object {
  if (/^item\/(commandExecution|fileChange)\/requestApproval$/.test(method)) {
    return { result: { decision: 'accept' } };
  }
  return { error: { code: -32_601, message: 'This request is not supported.' } };
}

/** An error as it reports it. */
export interface CodexError {
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

export const formatCodexError = ({ message, additionalDetails }: CodexError): string =>
  [toText(message), toText(additionalDetails)].filter(Boolean).join(': ');

export function toTurnFailure({ message, codexErrorInfo: info, additionalDetails }: CodexError): {
  reason: TurnFailure;
  message: string;
} {
  const errorText = formatCodexError({ message, additionalDetails });
  const word = typeof info === 'string' ? info : (Object.keys(toObject(info) ?? {})[0] ?? '');
  const status = toNumber(toObject(toObject(info)?.[word])?.httpStatusCode);
  const cut = /reason: (content_filter|max_output_tokens)\b/.exec(errorText)?.[1];
  const reason = CUTS[cut ?? ''] ?? classifyStatus(status) ?? REASONS[word] ?? classifyMessage(errorText);
  return { reason, message: errorText || 'Codex gave no reason.' };
}

/** Sums up what each reply of the model cost; it counts tokens read from a cache as read again. */
export function toTokenUsage(reply: unknown, before: TokenUsage | undefined): TokenUsage {
  const { inputTokens, cachedInputTokens, outputTokens } = toObject(reply) ?? {};
  const cached = toNumber(cachedInputTokens);
  return {
    input_tokens: (before?.input_tokens ?? 0) + toNumber(inputTokens) - cached,
    output_tokens: (before?.output_tokens ?? 0) + toNumber(outputTokens),
    cache_read_tokens: (before?.cache_read_tokens ?? 0) + cached,
  };
}
