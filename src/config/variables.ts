/**
 * The table of environment variables that the manager reads, each with its allowed values, default and help text.
 * `settings.ts` parses them; error messages, `worker-manager config` and the documentation are generated from it.
 */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { CELL_NAME, RUNTIME_NAMES } from '../model/index.ts';
import { isRedisUrl, REDIS_URL_ALLOWED } from '../model/redis-url.ts';
import { HIDDEN, redactUrl } from '../telemetry/redact.ts';
import {
  choiceVariable,
  cronSchema,
  defineVariable,
  type Environment,
  hostNamesSchema,
  integerOr,
  integerVariable,
  levelVariable,
  numberVariable,
  optionalVariable,
  pathSchema,
  sizeVariable,
  urlSchema,
} from './variable.ts';

const redisUrl = { schema: z.string().refine(isRedisUrl), allowed: REDIS_URL_ALLOWED, show: redactUrl };
const hide = () => HIDDEN;
const DAY = 86_400;
const IMAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$/;

/** All variables that the manager reads, keyed by their name in `Settings`. */
export const VARIABLES = {
  redisUrl: defineVariable({
    name: 'REDIS_URL',
    ...redisUrl,
    fallback: 'redis://127.0.0.1:6379',
    help: 'URL of Redis, from the manager.',
  }),
  redisStrict: defineVariable({
    name: 'REDIS_STRICT',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: 'If true, the manager refuses to lead with a Redis that evicts keys (maxmemory-policy) or does not persist data; if false, it only reports that.',
  }),
  workerRedisUrl: optionalVariable({
    name: 'WORKER_REDIS_URL',
    ...redisUrl,
    help: 'URL of Redis, from a body, if it differs from REDIS_URL.',
  }),
  dockerHost: defineVariable({
    name: 'DOCKER_HOST',
    schema: urlSchema(['unix', 'tcp', 'http', 'https', 'ssh']),
    allowed: 'a URL such as unix:///var/run/docker.sock or tcp://HOST:2375',
    fallback: 'unix:///var/run/docker.sock',
    help: 'Address of the Docker daemon.',
    show: redactUrl,
  }),
  runtime: choiceVariable(
    'RUNTIME',
    ['auto', ...RUNTIME_NAMES],
    'auto',
    'Runtimes for bodies. With auto, a worker that names no runtime gets docker if that is possible, otherwise process.',
  ),
  cell: defineVariable({
    name: 'CELL',
    schema: z.string().regex(CELL_NAME.pattern),
    allowed: CELL_NAME.allowed,
    fallback: 'default',
    help: 'Namespace that isolates one manager on a shared Redis or Docker.',
  }),
  home: defineVariable({
    name: 'WORKER_MANAGER_HOME',
    schema: pathSchema,
    allowed: 'an absolute path',
    fallback: stateHome,
    help: 'Folder for the state of the process runtime, which the next manager reads.',
  }),
  processUser: defineVariable({
    name: 'PROCESS_USER',
    schema: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/),
    allowed: 'auto, none, or the name or number of a user',
    fallback: 'auto',
    help: "User that direct workers run as, if the manager is root. auto uses the user worker-agent if it exists; none uses the manager's own user.",
  }),
  workerImage: optionalVariable({
    name: 'WORKER_IMAGE',
    schema: z.string().regex(IMAGE_NAME),
    allowed: 'an image name, such as worker:0123456789ab',
    help: 'Image for Docker bodies, instead of an image that the manager builds.',
  }),
  httpHost: defineVariable({
    name: 'HTTP_HOST',
    schema: z.string().regex(/^[A-Za-z0-9._:%-]{1,253}$/),
    allowed: 'an address or a host name without port',
    fallback: '127.0.0.1',
    help: 'Address to listen on for health, metrics and the API.',
  }),
  httpPort: integerVariable('HTTP_PORT', '8080', [0, 65_535], 'Port to listen on; 0 selects a free port.'),
  httpAllowedHosts: defineVariable({
    name: 'HTTP_ALLOWED_HOSTS',
    schema: hostNamesSchema,
    allowed:
      'host names without port, separated by commas, such as manager.example.com,.internal.example.com',
    fallback: '',
    help: "Additional host names that requests may use, besides the server's addresses, localhost and this machine's name; .NAME matches all its subdomains.",
  }),
  apiToken: optionalVariable({
    name: 'API_TOKEN',
    schema: z.string().regex(/^[\x21-\x7e]{8,512}$/),
    allowed: '8 to 512 printable characters without spaces',
    help: 'Token that the API requires. By default a token is generated and stored in the context file. Required if HTTP_HOST is not a loopback address.',
    show: hide,
  }),
  apiTokenFile: optionalVariable({
    name: 'API_TOKEN_FILE',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: 'File that contains the token, instead of API_TOKEN.',
  }),
  logLevel: levelVariable(
    'LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'Minimum level of log messages.',
  ),
  resyncSeconds: numberVariable(
    'RESYNC_SECONDS',
    '30',
    [0.1, DAY],
    'seconds',
    'Interval between full lists of all workers and bodies, independent of events.',
  ),
  healthCheckSeconds: numberVariable(
    'HEALTH_CHECK_INTERVAL',
    '30',
    [0.1, DAY],
    'seconds',
    'Interval between checks of the heartbeat, CPU and memory of all running bodies.',
  ),
  leaseSeconds: numberVariable(
    'LEASE_SECONDS',
    '10',
    [1, 3600],
    'seconds',
    'Time without a renewal after which a standby takes over from the leader.',
  ),
  restartBackoffSeconds: numberVariable(
    'RESTART_BACKOFF_SECONDS',
    '1',
    [0.01, DAY],
    'seconds',
    'First delay before a worker is restarted; doubles with each failure.',
  ),
  restartBackoffMaxSeconds: numberVariable(
    'RESTART_BACKOFF_MAX_SECONDS',
    '300',
    [0.01, DAY],
    'seconds',
    'Longest delay before a restart.',
  ),
  creationGraceSeconds: numberVariable(
    'CREATION_GRACE_SECONDS',
    '60',
    [0, DAY],
    'seconds',
    'Minimum age of a body without a record before it is removed as an orphan.',
  ),
  removalBreakerShare: numberVariable(
    'REMOVAL_BREAKER_SHARE',
    '0.5',
    [0, 1],
    '',
    'Share of all bodies. A sweep that would remove more removes nothing and waits for an operator.',
  ),
  concurrency: integerVariable(
    'CONCURRENCY',
    '16',
    [1, 1000],
    'Number of workers that are reconciled at the same time.',
  ),
  defaultMemoryBytes: sizeVariable(
    'DEFAULT_MEMORY',
    '2g',
    'Memory limit of a body whose worker sets none in resources; for direct workers this requires cgroups.',
  ),
  defaultPids: integerOr('none', {
    name: 'DEFAULT_PIDS',
    fallback: '512',
    range: [8, 4_194_304],
    help: 'Limit of processes and threads of a body whose worker sets none in resources.',
  }),
  defaultOpenFiles: integerOr('none', {
    name: 'DEFAULT_OPEN_FILES',
    fallback: '4096',
    range: [64, 1_048_576],
    help: 'Limit of open files and connections for each process of a body.',
  }),
  defaultDiskBytes: sizeVariable(
    'DEFAULT_DISK',
    '10g',
    "Limit of bytes that a container may write outside of its volumes, if Docker's storage driver supports that (overlay2 on xfs with pquota, btrfs, zfs).",
  ),
  maxWorkersTotal: integerOr('none', {
    name: 'MAX_WORKERS_TOTAL',
    fallback: '10000',
    range: [1, 1_000_000],
    help: 'Limit of workers in the cell that are starting, queued or running; beyond it, create fails with capacity.',
  }),
  maxConcurrentStarts: integerOr('auto', {
    name: 'MAX_CONCURRENT_STARTS',
    fallback: 'auto',
    range: [1, 10_000],
    help: 'Limit of bodies of one runtime that boot at the same time; other workers wait with the reason Queued. auto is twice the number of cores.',
  }),
  dockerCallSeconds: numberVariable(
    'DOCKER_CALL_SECONDS',
    '30',
    [0.1, 3600],
    'seconds',
    'Timeout of a call to Docker.',
  ),
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
  allowPrivileged: defineVariable({
    name: 'ALLOW_PRIVILEGED',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: 'Whether the module DOCKER is allowed; its workers are less isolated than others.',
  }),
  allowLinkLocal: defineVariable({
    name: 'ALLOW_LINK_LOCAL',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: "Whether containers can reach 169.254.0.0/16, where cloud providers serve the machine's credentials.",
  }),
  secretsDir: optionalVariable({
    name: 'SECRETS_DIR',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: "Folder with the files that workers' secrets name.",
  }),
  handlersDir: optionalVariable({
    name: 'HANDLERS_DIR',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: "Folder with the files that task workers' handlers name; with Docker, a folder on the engine's machine.",
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
