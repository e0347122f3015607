/** One attempt of a delivery: signs the message, sends it, and says what is stored about it. */
import { formatInstant, type PendingWebhook } from '../model/index.ts';
import type { PostResult, Sender } from './send.ts';
import { signatureHeaders } from './sign.ts';
import type { WebhookAddress } from './target.ts';

/** Never throws. */
export async function sendOnce(
  { message_id, body }: PendingWebhook,
  { url, keys, publicOnly, error }: WebhookAddress,
  sender: Sender,
  {
    version,
    timeoutMs,
    now,
    signal,
  }: {
    version: string;
    timeoutMs: number;
    now: () => number;
    signal: AbortSignal;
  },
): Promise<PostResult> {
  if (error) return error;
  const headers = {
    'content-type': 'application/json',
    'user-agent': `worker-manager/${version}`,
    ...signatureHeaders({ id: message_id, body }, keys, now()),
  };
  return sender.post({ url, publicOnly, headers, body, timeoutMs, signal });
}

/** The message after an attempt. */
export function withAttempt(
  pending: PendingWebhook,
  { status, error }: PostResult,
  now: number,
): PendingWebhook {
  return {
    ...pending,
    attempts: pending.attempts + 1,
    last_attempt_at: formatInstant(now),
    response_status: status,
    error,
    next_attempt_at: undefined,
  };
}
