import { hostname, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DAY_SECONDS } from '../src/model/values/limits.ts';
import { countIn, type Quantity } from '../src/model/values/quantities.ts';
import { isRedisUrl, REDIS_URL_ALLOWED } from '../src/model/values/redis-url.ts';
import { type LogFormat, readLogLevel } from './log.ts';
import { SPOOL_BYTES } from './streams/limits.ts';

/** The wrapper's settings from its environment; nothing else of the wrapper reads it. */
export interface WrapperSettings {
  workerId: string;
  workerType: string;
  incarnation: number;
  /** The runtime's name for the body; only direct bodies have it. */
  bodyId: string | undefined;
  /** Started manually: no manager has a record of it, and it registers itself. */
  external: boolean;
  cell: string;
  redisUrl: string;
  /** The agent's directory; created if it is missing. */
  workspace: string;
  /** The home of an agent that gets one of its own, if the image has none. */
  agentHome: string;
  logLevel: string;
  logFormat: LogFormat;
  /** The file in which output waits while Redis is away; removed at the end. */
  spoolPath: string;
  /** Maximum size of the output on disk. */
  spoolBytes: number;
  /** The named pipe for secrets; the wrapper creates it. */
  secretsPipe: string | undefined;
  /** Where the door listens: a path, or a port; without it, the body has none. */
  door: string | undefined;
  /** Milliseconds from the agent's start to the end of its handshake. */
  handshakeMs: number;
  /** Milliseconds between an interrupt that the agent ignores and its SIGKILL. */
  interruptMs: number;
  /** Milliseconds between the closing of stdin, SIGTERM and SIGKILL of an agent that has done its work. */
  finishMs: number;
  /** The few variables of the wrapper's own environment that are passed to the agent. */
  inherited: Record<string, string>;
  /** The variables from which a task worker reads its own settings. */
  taskVariables: NodeJS.ProcessEnv;
}

/** The slowest observed start of a CLI, on an overloaded machine, took 7 s. */
const HANDSHAKE_MS = 60_000;
/** CLIs react to an interrupt within a second; one of them finishes its current request first. */
const INTERRUPT_MS = 10_000;
/** CLIs end within 0.2 s after the end of their stdin, or not at all. */
const FINISH_MS = 5000;
/** Debian's PATH, used if the image or the host has set none. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Only these variables reach the agent's environment; REDIS_URL in particular does not. */
const INHERITED = [
  'PATH',
  'HOME',
  'LANG',
  'TERM',
  'TZ',
  'WORKER_ID',
  'WORKER_TYPE',
  'WORKER_INCARNATION',
  'WORKER_POOL',
  'WORKSPACE_PATH',
];

/** The variables of a body that are only for the wrapper. */
const OURS = ['REDIS_URL', 'NODE_COMPILE_CACHE', 'WORKER_DOOR'];

/** The value is not in the error because it may contain a password. */
function readRedisUrl(text: string): string {
  if (isRedisUrl(text)) return text;
  throw new Error(`REDIS_URL must be ${REDIS_URL_ALLOWED}.`);
}

/** A terabyte; no disk has more waiting output. */
const BYTES = countIn([0, 2 ** 40]);
/** A day, which does not overflow Node's timers. */
const MILLISECONDS = countIn([0, DAY_SECONDS * 1000]);
const ATTEMPT = countIn([1, 1_000_000_000]);

/** Reads the variables of a body; throws an error with the variable's name and the allowed values. */
export function readWrapperSettings(env: NodeJS.ProcessEnv): WrapperSettings {
  const external = !env.WORKER_INCARNATION;
  const need = (name: string) => {
    const value = env[name];
    const why = external
      ? 'a node requires it (docker run -e, or environment: in a compose file)'
      : 'the manager sets it when it starts a body';
    if (!value) throw new Error(`${name} is not set: ${why}.`);
    return value;
  };
  const read = (name: string, quantity: Quantity, fallback: number) => {
    const text = env[name];
    const value = text ? quantity.parse(text) : fallback;
    if (value === undefined) throw new Error(`${name} is "${text}": it must be ${quantity.allowed}.`);
    return value;
  };
  const workerId = external ? readNodeId(env) : need('WORKER_ID');
  if (!external && !/^[A-Za-z0-9-]{1,64}$/.test(workerId))
    throw new Error(`WORKER_ID is "${workerId}": it must be a UUID.`);
  const incarnation = read('WORKER_INCARNATION', ATTEMPT, 1);
  // Used by this body alone, even if bodies share a directory.
  const spool = `worker-spool-${workerId}-${incarnation}`;
  const workspace = resolve(need('WORKSPACE_PATH'));
  const inherited: Record<string, string> = { PATH };
  for (const name of INHERITED) {
    const value = env[name];
    if (value) inherited[name] = value;
  }
  // The variables of a manually started node are for its handlers, except for the address of Redis.
  if (external) Object.assign(inherited, env);
  for (const name of OURS) delete inherited[name];
  inherited.WORKSPACE_PATH = workspace;
  inherited.WORKER_ID = workerId;
  return {
    workerId,
    workerType: env.WORKER_TYPE ?? 'CUSTOM',
    incarnation,
    bodyId: env.WORKER_BODY_ID || undefined,
    external,
    cell: env.WORKER_CELL || 'default',
    redisUrl: readRedisUrl(need('REDIS_URL')),
    workspace,
    agentHome: env.WORKER_AGENT_HOME || join(dirname(workspace), 'home'),
    logLevel: readLogLevel(env.LOG_LEVEL),
    logFormat: readLogFormat(env.LOG_FORMAT, external),
    spoolPath: join(env.WORKER_SPOOL_DIR || join(tmpdir(), spool), spool),
    spoolBytes: read('WORKER_SPOOL_BYTES', BYTES, SPOOL_BYTES),
    secretsPipe: env.SECRETS_PIPE || undefined,
    door: env.WORKER_DOOR || undefined,
    // Variables for tests, which need shorter times.
    handshakeMs: read('WORKER_HANDSHAKE_MS', MILLISECONDS, HANDSHAKE_MS),
    interruptMs: read('WORKER_INTERRUPT_MS', MILLISECONDS, INTERRUPT_MS),
    finishMs: read('WORKER_FINISH_MS', MILLISECONDS, FINISH_MS),
    inherited,
    taskVariables: env,
  };
}

/** Part of keys and file names, so it contains no separators and no pattern characters. */
const NODE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** WORKER_ID, or else the host name: in a container the start of its ID, which is unique. */
function readNodeId(env: NodeJS.ProcessEnv): string {
  if (!env.WORKER_ID) {
    const host = (env.HOSTNAME || hostname()).replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[._-]+/, '');
    return host.slice(0, 64) || 'node';
  }
  if (NODE_ID.test(env.WORKER_ID)) return env.WORKER_ID;
  throw new Error(
    `WORKER_ID is "${env.WORKER_ID}": it must be at most 64 letters, digits and . _ -, the first a letter or digit.`,
  );
}

/** The log of a node is for users, and that of a body for the manager. */
function readLogFormat(text: string | undefined, external: boolean): LogFormat {
  if (!text) return external ? 'text' : 'json';
  const format = text.toLowerCase();
  if (format === 'text' || format === 'json') return format;
  throw new Error(`LOG_FORMAT is "${text}": it must be text or json.`);
}
