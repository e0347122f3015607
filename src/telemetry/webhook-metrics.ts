import type { createInstruments } from './instruments.ts';

/** From a receiver in the same rack to the longest WEBHOOK_TIMEOUT_SECONDS. */
const ATTEMPT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The operator's WEBHOOK_URLS, and the URLs of workers. */
export const WEBHOOK_SOURCES = ['setting', 'worker'] as const;
export type WebhookSource = (typeof WEBHOOK_SOURCES)[number];
const RESULTS = ['delivered', 'failed', 'dropped'] as const;

/** Metrics of webhooks. `source` distinguishes the operator's WEBHOOK_URLS from URLs of workers. */
export function webhookMetrics({ counter, gauge, histogram }: ReturnType<typeof createInstruments>) {
  const webhooksEnded = counter<{ source: WebhookSource; result: (typeof RESULTS)[number] }>(
    'webhooks_total',
    'Number of webhook messages that were delivered, given up (failed), or not queued because too many wait (dropped).',
    ['source', 'result'],
  );
  // Alerts are based on their increase.
  for (const source of WEBHOOK_SOURCES)
    for (const result of RESULTS) webhooksEnded.inc(0, { source, result });
  return {
    webhooksEnded,
    webhookAttempts: histogram<{ result: 'ok' | 'error' }>(
      'webhook_attempt_duration_seconds',
      'Duration of an attempt to deliver a webhook message.',
      ['result'],
      ATTEMPT,
    ),
    webhooksPending: gauge<{ source: WebhookSource }>(
      'webhooks_pending',
      'Number of webhook messages that wait for their delivery.',
      ['source'],
    ),
    webhooksOldest: gauge<{ source: WebhookSource }>(
      'webhooks_oldest_seconds',
      'Age of the oldest webhook message that waits for its delivery.',
      ['source'],
    ),
  };
}
