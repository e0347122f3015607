/** Where changes of workers are reported over HTTP. */
import { z } from 'zod';
import { isWebhookUrl, toSigningKey, WEBHOOK_TYPES } from '../../model/index.ts';
import { HIDDEN, toOrigin } from '../../telemetry/redact.ts';
import { defineVariable, numberVariable, optionalVariable, pathSchema } from '../variable.ts';

/** Each URL has a queue of its own. */
const URLS = 5;
/** During a rotation, messages have a signature with the old key and one with the new key. */
const KEYS = 4;

/** Words, separated by commas or white space. */
const words = z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean));

export const WEBHOOKS = {
  webhookUrls: defineVariable({
    name: 'WEBHOOK_URLS',
    schema: words.refine((urls) => urls.length <= URLS && urls.every(isWebhookUrl)),
    allowed: `up to ${URLS} http or https URLs, separated by commas`,
    fallback: '',
    help: 'URLs to which the changes of all workers are reported.',
    show: (text) =>
      text
        .split(/[\s,]+/)
        .filter(Boolean)
        .map(toOrigin)
        .join(','),
  }),
  webhookSecret: defineVariable({
    name: 'WEBHOOK_SECRET',
    schema: words
      .transform((texts) => texts.map(toSigningKey))
      .refine((keys) => keys.length <= KEYS && !keys.includes(undefined))
      .transform((keys) => keys.filter((key) => key !== undefined)),
    allowed: `whsec_ and 24 to 64 bytes in base64, for example from: echo "whsec_$(openssl rand -base64 32)"; up to ${KEYS}, separated by spaces`,
    fallback: '',
    help: 'Key that signs the messages to WEBHOOK_URLS; required with these. With several keys, a message has a signature for each, so that a key can be replaced.',
    show: (text) => (text === '' ? '' : HIDDEN),
  }),
  webhookSecretFile: optionalVariable({
    name: 'WEBHOOK_SECRET_FILE',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: 'File that contains the key, instead of WEBHOOK_SECRET.',
  }),
  webhookTypes: defineVariable({
    name: 'WEBHOOK_TYPES',
    schema: words.pipe(z.array(z.enum(WEBHOOK_TYPES))),
    allowed: `of ${WEBHOOK_TYPES.join(', ')}, separated by commas`,
    fallback: WEBHOOK_TYPES.join(','),
    help: 'Types of messages to WEBHOOK_URLS.',
  }),
  webhookTimeoutSeconds: numberVariable(
    'WEBHOOK_TIMEOUT_SECONDS',
    '10',
    [0.1, 60],
    'seconds',
    'Timeout of an attempt to deliver a message.',
  ),
  webhookGiveUpSeconds: numberVariable(
    'WEBHOOK_GIVE_UP_SECONDS',
    '86400',
    [1, 604_800],
    'seconds',
    'Age at which a message that could not be delivered is given up.',
  ),
  webhookAllowPrivate: defineVariable({
    name: 'WEBHOOK_ALLOW_PRIVATE',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: "Whether webhooks of workers and pools may use loopback, link-local and private addresses. WEBHOOK_URLS are the operator's own and may always do so.",
  }),
} as const;
