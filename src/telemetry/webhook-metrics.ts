import type { createInstruments } from './instruments.ts';

/** From a receiver in the same rack to the longest WEBHOOK_TIMEOUT_SECONDS. */
const ATTEMPT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Metrics of webhooks. `source` distinguishes the operator's WEBHOOK_URLS from URLs of workers. */
export function webhookMetrics({ counter, gauge, histogram }: ReturnType<typeof createInstruments>) {
  return {
    webhooksEnded: counter<{ source: 'setting' | 'worker'; result: 'delivered' | 'failed' | 'dropped' }>(
      'webhooks_total',
      'Number of webhook messages that were delivered, given up (failed), or not queued because too many wait (dropped).',
      ['source', 'result'],
    ),
    webhookAttempts: histogram<{ result: 'ok' | 'error' }>(
      'webhook_attempt_duration_seconds',
      'Duration of an attempt to deliver a webhook message.',
      ['result'],
      ATTEMPT,
    ),
    webhooksPending: gauge(
      'webhooks_pending',
      'Number of webhook messages that wait for their delivery.',
      [],
    ),
    webhooksOldest: gauge(
      'webhooks_oldest_seconds',
      'Age of the oldest webhook message that waits for its delivery.',
      [],
    ),
  };
}
