/**
 * The table of the variables that the manager reads, each with what is allowed, its default and a line of help.
 * `settings.ts` reads values by it; the error messages, `worker-manager config` and the documentation come from it.
 */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { isRedisUrl, REDIS_URL_ALLOWED } from './model/redis-url.ts';
import { HIDDEN, redactUrl } from './telemetry/redact.ts';
import {
  autoOr,
  choice,
  cron,
  type Environment,
  hostNames,
  integer,
  levels,
  noneOr,
  number,
  optional,
  path,
  size,
  urlOf,
  variable,
} from './variable.ts';

const redisUrl = { schema: z.string().refine(isRedisUrl), allowed: REDIS_URL_ALLOWED, show: redactUrl };
const hide = () => HIDDEN;
const DAY = 86_400;
const IMAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$/;

/** Every variable that the manager reads, by its name in `Settings`. */
export const VARIABLES = {
  redisUrl: variable({
    name: 'REDIS_URL',
    ...redisUrl,
    fallback: 'redis://127.0.0.1:6379',
    help: 'Redis as the manager sees it.',
  }),
  redisStrict: variable({
    name: 'REDIS_STRICT',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: 'Refuse to lead with a Redis that evicts keys (maxmemory-policy) or persists nothing; without it, this is only reported.',
  }),
  workerRedisUrl: optional({
    name: 'WORKER_REDIS_URL',
    ...redisUrl,
    help: 'Redis as a body sees it, where that differs from REDIS_URL.',
  }),
  dockerHost: variable({
    name: 'DOCKER_HOST',
    schema: urlOf(['unix', 'tcp', 'http', 'https', 'ssh']),
    allowed: 'a URL such as unix:///var/run/docker.sock or tcp://HOST:2375',
    fallback: 'unix:///var/run/docker.sock',
    help: 'Where the Docker daemon listens.',
    show: redactUrl,
  }),
  runtime: choice(
    'RUNTIME',
    ['auto', 'docker', 'process'],
    'auto',
    'Where bodies may live; with auto a worker that names none gets docker where it can be had there, else process.',
  ),
  cell: variable({
    name: 'CELL',
    schema: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/),
    allowed: '1 to 32 of a-z, 0-9 and -, not starting with -',
    fallback: 'default',
    help: "One manager's world on a Redis or Docker that others use too.",
  }),
  home: variable({
    name: 'WORKER_MANAGER_HOME',
    schema: path,
    allowed: 'an absolute path',
    fallback: stateHome,
    help: 'Folder of the process runtime: what its bodies leave for the next manager.',
  }),
  processUser: variable({
    name: 'PROCESS_USER',
    schema: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/),
    allowed: 'auto, none, or the name or number of a user',
    fallback: 'auto',
    help: 'User that direct workers run as, if the manager is root; auto takes the user worker-agent if there is one, none the manager itself.',
  }),
  workerImage: optional({
    name: 'WORKER_IMAGE',
    schema: z.string().regex(IMAGE_NAME),
    allowed: 'the name of an image, such as worker:0123456789ab',
    help: 'Image of Docker bodies, instead of the one that is built.',
  }),
  httpHost: variable({
    name: 'HTTP_HOST',
    schema: z.string().regex(/^[A-Za-z0-9._:%-]{1,253}$/),
    allowed: 'an address or a host name without port',
    fallback: '127.0.0.1',
    help: 'Address on which health, metrics and the API are served.',
  }),
  httpPort: integer('HTTP_PORT', '8080', [0, 65_535], 'Port of the same; 0 takes any free one.'),
  httpAllowedHosts: variable({
    name: 'HTTP_ALLOWED_HOSTS',
    schema: hostNames,
    allowed:
      'host names without port, separated by commas, such as manager.example.com,.internal.example.com',
    fallback: '',
    help: "Names under which the server may be asked, beside its addresses, localhost and this machine's name; .NAME stands for all names below it.",
  }),
  apiToken: optional({
    name: 'API_TOKEN',
    schema: z.string().regex(/^[\x21-\x7e]{8,512}$/),
    allowed: '8 to 512 printable characters without spaces',
    help: 'Token that the API asks for; without it one is generated and kept in the context file. Required where HTTP_HOST is not loopback.',
    show: hide,
  }),
  apiTokenFile: optional({
    name: 'API_TOKEN_FILE',
    schema: path,
    allowed: 'an absolute path',
    help: 'File that holds the token, instead of API_TOKEN.',
  }),
  logLevel: levels(
    'LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'The least that is logged.',
  ),
  resyncSeconds: number(
    'RESYNC_SECONDS',
    '30',
    [0.1, DAY],
    'seconds',
    'Between two looks at all workers and bodies, whatever events say.',
  ),
  healthCheckSeconds: number(
    'HEALTH_CHECK_INTERVAL',
    '30',
    [0.1, DAY],
    'seconds',
    'Between two checks of heartbeat, CPU and memory of all living bodies.',
  ),
  leaseSeconds: number(
    'LEASE_SECONDS',
    '10',
    [1, 3600],
    'seconds',
    'How long a silent leader leads on before a standby may take over.',
  ),
  restartBackoffSeconds: number(
    'RESTART_BACKOFF_SECONDS',
    '1',
    [0.01, DAY],
    'seconds',
    'First wait before a worker is restarted; doubled with each failure.',
  ),
  restartBackoffMaxSeconds: number(
    'RESTART_BACKOFF_MAX_SECONDS',
    '300',
    [0.01, DAY],
    'seconds',
    'Longest wait before a restart.',
  ),
  creationGraceSeconds: number(
    'CREATION_GRACE_SECONDS',
    '60',
    [0, DAY],
    'seconds',
    'Bodies without a record are left alone while they are younger.',
  ),
  removalBreakerShare: number(
    'REMOVAL_BREAKER_SHARE',
    '0.5',
    [0, 1],
    '',
    'Share of all bodies; where a sweep would remove more, it removes none and asks for a person.',
  ),
  concurrency: integer('CONCURRENCY', '16', [1, 1000], 'Workers that are worked on at once.'),
  defaultMemoryBytes: size(
    'DEFAULT_MEMORY',
    '2g',
    'Memory of a body whose worker names none in resources; direct workers need cgroups for it.',
  ),
  defaultPids: variable({
    name: 'DEFAULT_PIDS',
    schema: noneOr(8, 4_194_304),
    allowed: 'a whole number from 8 to 4194304, or none',
    fallback: '512',
    help: 'Processes and threads of a body whose worker names none in resources.',
  }),
  defaultOpenFiles: variable({
    name: 'DEFAULT_OPEN_FILES',
    schema: noneOr(64, 1_048_576),
    allowed: 'a whole number from 64 to 1048576, or none',
    fallback: '4096',
    help: 'Files and connections that a process of a body may have open at the same time.',
  }),
  defaultDiskBytes: size(
    'DEFAULT_DISK',
    '10g',
    "Bytes that a container may write beside its volumes, where Docker's storage can bound that (overlay2 on xfs with pquota, btrfs, zfs).",
  ),
  maxWorkersTotal: variable({
    name: 'MAX_WORKERS_TOTAL',
    schema: noneOr(1, 1_000_000),
    allowed: 'a whole number from 1 to 1000000, or none',
    fallback: '10000',
    help: 'Workers that the cell may have which are starting, queued or running; a create beyond it is refused with capacity.',
  }),
  maxConcurrentStarts: variable({
    name: 'MAX_CONCURRENT_STARTS',
    schema: autoOr(1, 10_000),
    allowed: 'auto or a whole number from 1 to 10000',
    fallback: 'auto',
    help: 'Bodies of one runtime that may boot at the same time; others wait as Queued. auto is twice the cores.',
  }),
  dockerCallSeconds: number(
    'DOCKER_CALL_SECONDS',
    '30',
    [0.1, 3600],
    'seconds',
    'How long one call to Docker may take.',
  ),
  imageRetentionDays: number(
    'IMAGE_RETENTION_DAYS',
    '7',
    [0, 3650],
    'days',
    'How long an image is kept after its last use.',
  ),
  imageGcCron: variable({
    name: 'IMAGE_GC_CRON',
    schema: cron,
    allowed: 'hourly, daily, weekly or five cron fields, such as "0 4 * * *"',
    fallback: 'daily',
    help: "When images that are no longer kept are removed, by this machine's clock.",
  }),
  imageBuildSeconds: number(
    'IMAGE_BUILD_SECONDS',
    '1800',
    [10, DAY],
    'seconds',
    'How long the build of one image may take.',
  ),
  imageBudgetBytes: size(
    'IMAGE_BUDGET',
    '20g',
    'Bytes that images of workers may take together; above it, the least recently used are removed.',
  ),
  buildCacheBudgetBytes: size(
    'BUILD_CACHE_BUDGET',
    '5g',
    'Bytes that may be kept to build the next image faster; more is removed where nobody used it for long.',
  ),
  imageMinFreeBytes: size(
    'IMAGE_MIN_FREE',
    '2g',
    "Bytes that must be free on the engine's disk, or no image is built and no worker accepted.",
  ),
  workerBaseImage: optional({
    name: 'WORKER_BASE_IMAGE',
    schema: z.string().regex(IMAGE_NAME),
    allowed: 'the name of an image, such as node:24-bookworm-slim',
    help: 'Image that those of workers are built on, with Debian, Node 24 and npm, instead of node:24-bookworm-slim.',
  }),
  workerBuildCa: optional({
    name: 'WORKER_BUILD_CA',
    schema: path,
    allowed: 'an absolute path',
    help: "File of the certificates that builds trust behind a proxy, instead of this machine's own; no image keeps it.",
  }),
  pipIndexUrl: optional({
    name: 'PIP_INDEX_URL',
    schema: urlOf(['http', 'https']).refine(hasNoCredentials),
    allowed: 'a URL such as https://HOST/simple without credentials, which the build cache would keep',
    help: 'Package index of the Python packages that are built into images, instead of PyPI.',
    show: redactUrl,
  }),
  allowPrivileged: variable({
    name: 'ALLOW_PRIVILEGED',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: 'Whether the module DOCKER is allowed, whose workers are less closed in than others.',
  }),
  allowLinkLocal: variable({
    name: 'ALLOW_LINK_LOCAL',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: 'Whether containers reach 169.254.0.0/16, where clouds hand out credentials of the machine.',
  }),
  secretsDir: optional({
    name: 'SECRETS_DIR',
    schema: path,
    allowed: 'an absolute path',
    help: 'Folder of the files that the secrets of workers name.',
  }),
  handlersDir: optional({
    name: 'HANDLERS_DIR',
    schema: path,
    allowed: 'an absolute path',
    help: 'Folder of the files that the handlers of task workers name; with Docker, a folder of the machine of its engine.',
  }),
} as const;

function hasNoCredentials(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/** The XDG base directory rules: a relative XDG_STATE_HOME is ignored. */
function stateHome(env: Environment): string {
  const base = env.XDG_STATE_HOME;
  const home = env.HOME && isAbsolute(env.HOME) ? env.HOME : homedir();
  return join(base && isAbsolute(base) ? base : join(home, '.local', 'state'), 'worker-manager');
}
