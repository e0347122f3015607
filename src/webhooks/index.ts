/**
 * `src/webhooks` reports changes of workers over HTTP: which changes, how messages are signed, and when they are sent.
 *
 * Invariants: a message is stored in the same step as the change that it reports, so it is delivered at least once, even
 * if the manager is killed; what waits is bounded; the loop never waits for a receiver. Only the leader delivers. A URL of
 * WEBHOOK_URLS may contain a secret, so it is never stored, logged or shown completely. Must not import the loop, the
 * commands or a runtime.
 */
export { explainPrivateHost } from './addresses.ts';
export type { WebhooksOptions } from './options.ts';
export { Webhooks } from './queue.ts';
