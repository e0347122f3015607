/** How worker images are built, and how long they are kept. */
import { z } from 'zod';
import { redactUrl } from '../../telemetry/redact.ts';
import {
  cronSchema,
  defineVariable,
  numberVariable,
  optionalVariable,
  pathSchema,
  sizeVariable,
  urlSchema,
} from '../variable.ts';

const DAY = 86_400;
const IMAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$/;

export const IMAGES = {
  imageRetentionDays: numberVariable(
    'IMAGE_RETENTION_DAYS',
    '7',
    [0, 3650],
    'days',
    'Time that an image is kept after its last use.',
  ),
  imageGcCron: defineVariable({
    name: 'IMAGE_GC_CRON',
    schema: cronSchema,
    allowed: 'hourly, daily, weekly or five cron fields, such as "0 4 * * *"',
    fallback: 'daily',
    help: "Schedule of image garbage collection, in this machine's time zone.",
  }),
  imageBuildSeconds: numberVariable(
    'IMAGE_BUILD_SECONDS',
    '1800',
    [10, DAY],
    'seconds',
    'Timeout of the build of one image.',
  ),
  imageBudgetBytes: sizeVariable(
    'IMAGE_BUDGET',
    '20g',
    'Limit of the total size of worker images; beyond it, the least recently used images are removed.',
  ),
  buildCacheBudgetBytes: sizeVariable(
    'BUILD_CACHE_BUDGET',
    '5g',
    'Limit of the size of the build cache; beyond it, cache entries that have not been used for long are removed.',
  ),
  imageMinFreeBytes: sizeVariable(
    'IMAGE_MIN_FREE',
    '2g',
    "Minimum of free bytes on the engine's disk; below it, no image is built and no worker is accepted.",
  ),
  imageDiskPath: optionalVariable({
    name: 'IMAGE_DISK_PATH',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: "Folder on the disk where the engine stores images, if the manager cannot see the engine's own folder; in a container, for example, the path of a volume.",
  }),
  workerBaseImage: optionalVariable({
    name: 'WORKER_BASE_IMAGE',
    schema: z.string().regex(IMAGE_NAME),
    allowed: 'an image name, such as node:24-bookworm-slim',
    help: 'Base image for worker images, with Debian, Node 24 and npm, instead of node:24-bookworm-slim.',
  }),
  workerBuildCa: optionalVariable({
    name: 'WORKER_BUILD_CA',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: "File with the CA certificates that builds trust behind a proxy, instead of this machine's own; it is not stored in images.",
  }),
  pipIndexUrl: optionalVariable({
    name: 'PIP_INDEX_URL',
    schema: urlSchema(['http', 'https']).refine(hasNoCredentials),
    allowed: 'a URL such as https://HOST/simple without credentials, which the build cache would keep',
    help: 'Package index for the Python packages of images, instead of PyPI.',
    show: redactUrl,
  }),
} as const;

function hasNoCredentials(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
