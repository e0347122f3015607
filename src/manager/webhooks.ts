import { type Keys, type Link, WebhookStore } from '../store/index.ts';
import { Webhooks } from '../webhooks/index.ts';
import type { ServeOptions } from './options.ts';

/** The webhooks of a cell; they deliver nothing before `run`. */
export function openWebhooks(
  { settings, version, secrets, metrics, log }: ServeOptions,
  { redis, keys, now }: { redis: Link; keys: Keys; now: () => number },
): Webhooks {
  const webhooks = new Webhooks({
    store: new WebhookStore(redis, keys),
    cell: settings.cell,
    version,
    settings,
    secrets: (names) => secrets.read(names),
    metrics,
    log,
    now,
  });
  metrics.beforeScrape(() => {
    for (const { source, count, oldestSeconds } of webhooks.pending()) {
      metrics.webhooksPending.set(count, { source });
      metrics.webhooksOldest.set(oldestSeconds, { source });
    }
  });
  return webhooks;
}
