/** Where the manager finds Redis, Docker and its own state, and who may use it. */
import { z } from 'zod';
import { CELL_NAME, RUNTIME_NAMES } from '../../model/index.ts';
import { isRedisUrl, REDIS_URL_ALLOWED } from '../../model/values/redis-url.ts';
import { HIDDEN, redactUrl } from '../../telemetry/redact.ts';
import { DEFAULT_CELL, stateHome } from '../cell-location.ts';
import {
  choiceVariable,
  defineVariable,
  hostNamesSchema,
  integerVariable,
  optionalVariable,
  pathSchema,
  urlSchema,
} from '../variable.ts';

const redisUrl = { schema: z.string().refine(isRedisUrl), allowed: REDIS_URL_ALLOWED, show: redactUrl };
const hide = () => HIDDEN;
const IMAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$/;

export const CONNECTIONS = {
  redisUrl: defineVariable({
    name: 'REDIS_URL',
    ...redisUrl,
    fallback: 'redis://127.0.0.1:6379',
    help: 'URL of Redis, from the manager. If it is not set, `wm serve` uses a private Redis, and other verbs use that of the running manager.',
  }),
  redisUrlFile: optionalVariable({
    name: 'REDIS_URL_FILE',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: 'File that contains the URL of Redis, instead of REDIS_URL.',
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
  workerRedisUrlFile: optionalVariable({
    name: 'WORKER_REDIS_URL_FILE',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: 'File that contains the URL of Redis from a body, instead of WORKER_REDIS_URL.',
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
    fallback: DEFAULT_CELL,
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
  otlpEndpoint: optionalVariable({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    schema: urlSchema(['http', 'https']),
    allowed: 'an http or https URL, such as http://127.0.0.1:4318',
    help: "OpenTelemetry collector that gets traces over OTLP (HTTP and protobuf). Tracing is off if it is unset. The exporter also reads OpenTelemetry's other variables, such as OTEL_EXPORTER_OTLP_HEADERS.",
    show: redactUrl,
  }),
  otelServiceName: defineVariable({
    name: 'OTEL_SERVICE_NAME',
    schema: z.string().max(256),
    allowed: 'a name of at most 256 characters',
    fallback: 'worker-manager',
    help: 'Name of this service in traces.',
  }),
  apiTokenFile: optionalVariable({
    name: 'API_TOKEN_FILE',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: 'File that contains the token, instead of API_TOKEN.',
  }),
} as const;
