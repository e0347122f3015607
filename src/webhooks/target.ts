/** Where a message is sent now, and the keys that sign it: settings and secrets may have changed since it was created. */
import { errorMessage, type PendingWebhook, toSigningKey } from '../model/index.ts';
import type { PostResult } from './send.ts';

export interface WebhookAddress {
  url: string;
  keys: readonly Uint8Array[];
  /** It must not lead to a private address. */
  publicOnly: boolean;
  /** Why it cannot be sent. */
  error?: PostResult;
}

export interface TargetOptions {
  /** WEBHOOK_URLS by hash, and their keys. */
  urls: ReadonlyMap<string, string>;
  keys: readonly Uint8Array[];
  allowPrivate: boolean;
  secrets: (names: string[]) => Promise<Record<string, string>>;
}

const refuse = (error: string, gone: boolean): WebhookAddress => ({
  url: '',
  keys: [],
  publicOnly: true,
  error: { error, away: false, gone, pauseMs: 0 },
});

export const createTargetReader =
  ({ urls, keys, allowPrivate, secrets }: TargetOptions) =>
  async ({ setting, target }: Pick<PendingWebhook, 'setting' | 'target'>): Promise<WebhookAddress> => {
    if (!target) {
      const url = urls.get(setting ?? '');
      return url === undefined
        ? refuse('The URL is not one of WEBHOOK_URLS any more.', true)
        : { url, keys, publicOnly: false };
    }
    try {
      const key = toSigningKey((await secrets([target.secret]))[target.secret] ?? '');
      if (key) return { url: target.url, keys: [key], publicOnly: !allowPrivate };
      return refuse(`The secret ${target.secret} is not a key: whsec_ and 24 to 64 bytes in base64.`, false);
    } catch (error) {
      // The operator may put it back.
      return refuse(errorMessage(error), false);
    }
  };
