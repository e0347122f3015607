import type { WebhookType } from '../model/index.ts';
import type { WebhookStore } from '../store/index.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What the webhooks of a cell are created from. */
export interface WebhooksOptions {
  store: WebhookStore;
  cell: string;
  /** The version of this program, for the user agent. */
  version: string;
  settings: {
    webhookUrls: readonly string[];
    webhookSecret: readonly Uint8Array[];
    webhookTypes: readonly WebhookType[];
    webhookTimeoutSeconds: number;
    webhookGiveUpSeconds: number;
    webhookAllowPrivate: boolean;
  };
  /** Reads secrets of workers; throws if one is missing. */
  secrets: (names: string[]) => Promise<Record<string, string>>;
  metrics: Pick<Metrics, 'webhooksEnded' | 'webhookAttempts'>;
  log: Logger;
  now: () => number;
}
