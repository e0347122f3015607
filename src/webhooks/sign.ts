/** Signatures of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks), version 1.0.0. Pure. */
import { createHmac } from 'node:crypto';

/** The headers that identify and sign a message at a time in milliseconds, with one signature for each key. */
export function signatureHeaders(
  { id, body }: { id: string; body: string },
  keys: readonly Uint8Array[],
  ms: number,
): Record<string, string> {
  const timestamp = String(Math.floor(ms / 1000));
  const signatures = keys.map((key) => {
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return `v1,${signature}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
