/** Webhooks: changes of workers that the manager reports over HTTP, and their deliveries. */
import { z } from 'zod';
import { SECRET_NAME } from '../values/name-rules.ts';

/** The changes that are reported. `reason` in a message explains why a worker ended. */
export const WEBHOOK_TYPES = [
  'worker.ready',
  'worker.restarting',
  'worker.stopped',
  'worker.failed',
  'worker.deleted',
] as const;
export type WebhookType = (typeof WEBHOOK_TYPES)[number];

const URL_LIMIT = 2048;
/** Maximum number of webhooks of one worker. */
const WEBHOOK_LIMIT = 5;

const KEY_PREFIX = 'whsec_';
/** Bytes of a key, by the specification. */
const KEY_BYTES = [24, 64] as const;

/** The key in a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`; `undefined` if it has another form. */
export function toSigningKey(secret: string): Uint8Array | undefined {
  const text = secret.trim();
  if (!text.startsWith(KEY_PREFIX)) return undefined;
  const base64 = text.slice(KEY_PREFIX.length);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const key = new Uint8Array(Buffer.from(base64, 'base64'));
  return key.length >= KEY_BYTES[0] && key.length <= KEY_BYTES[1] ? key : undefined;
}

/** Whether messages can be sent to a URL. */
export function isWebhookUrl(text: string): boolean {
  if (text.length > URL_LIMIT || !URL.canParse(text)) return false;
  const { protocol } = new URL(text);
  return protocol === 'http:' || protocol === 'https:';
}

/** A URL of a spec is shown by `describe` and stored in labels, so it has no credentials. */
const hasNoCredentials = (text: string) => {
  const { username, password } = new URL(text);
  return username === '' && password === '';
};

/** A webhook of one worker. */
const webhookTarget = z.strictObject({
  /** http or https, without credentials. Redirects are not followed. */
  url: z
    .string()
    .max(URL_LIMIT)
    .refine(
      (text) => isWebhookUrl(text) && hasNoCredentials(text),
      'must be an http or https URL without credentials',
    ),
  /** Name of a file in the operator's SECRETS_DIR with the key that signs the messages. */
  secret: z.string().regex(SECRET_NAME.pattern, `must be ${SECRET_NAME.allowed}`),
  /** Types of messages; all by default. */
  types: z.array(z.enum(WEBHOOK_TYPES)).min(1).max(WEBHOOK_TYPES.length).optional(),
});
export const webhookTargets = z.array(webhookTarget).max(WEBHOOK_LIMIT);

/** A message for one URL that is not delivered yet, as stored in the hash `worker:webhooks`. */
export const pendingWebhook = z.object({
  /** Identifies the message: the header `webhook-id` of every attempt. */
  message_id: z.string(),
  type: z.string(),
  worker_id: z.string(),
  reason: z.string(),
  /** The URL without what may be secret in it. */
  url: z.string(),
  /** Which URL of WEBHOOK_URLS it is for, by its hash; absent for the URL of a worker. */
  setting: z.string().optional(),
  /** The URL of a worker, and the name of its secret. */
  target: z.object({ url: z.string(), secret: z.string() }).optional(),
  /** The exact text that is signed and sent. */
  body: z.string(),
  created_at: z.string(),
  attempts: z.number().int(),
  last_attempt_at: z.string().optional(),
  next_attempt_at: z.string().optional(),
  /** Status of the last response. */
  response_status: z.number().int().optional(),
  /** Why the last attempt failed. */
  error: z.string().optional(),
});
export type PendingWebhook = z.infer<typeof pendingWebhook>;

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
/** A delivery for people: what `wm webhooks` and the API show. */
export const webhookDelivery = pendingWebhook
  .omit({ setting: true, target: true, body: true })
  .extend({ state: z.enum(DELIVERY_STATES) });
export type WebhookDelivery = z.infer<typeof webhookDelivery>;
