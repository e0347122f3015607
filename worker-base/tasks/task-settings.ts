import { readdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { TASK_TIMEOUT_LIMIT_SECONDS } from '../../src/model/values/limits.ts';
import { POOL_NAME } from '../../src/model/values/name-rules.ts';
import { countIn, numberIn, type Quantity, type Range } from '../../src/model/values/quantities.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';

/** The settings of a task worker from its environment, or from the spec's `env`, which takes precedence. */
export interface TaskSettings {
  /** The pool whose queue it takes tasks from. */
  pool: string;
  /** Number of concurrent tasks. */
  slots: number;
  /** Port of the node API; undefined: no node API. 0 selects a free one. */
  port: number | undefined;
  host: string;
  /** Host names that the node accepts in addition to its own. */
  allowedHosts: string[];
  /**
   * Maximum number of waiting tasks for submissions to this node, or no limit; undefined: the pool's limit.
   */
  queueSize: number | 'none' | undefined;
  /** The same if its pool has no limit; undefined: no limit. */
  queueSizeOtherwise: number | undefined;
  /** Above these limits it takes no new tasks; undefined: no limit. */
  maxCpuPercent: number | undefined;
  maxMemoryPercent: number | undefined;
  /** Default timeout of an attempt, in seconds. */
  timeoutSeconds: number | undefined;
  /** Milliseconds between two checks of CPU, memory and queue. */
  checkMs: number;
  /** Whether it runs tasks that are commands. */
  commands: boolean;
  /** Handler files, as absolute paths. */
  handlers: string[];
}

/** Variables that the `env` of a task worker's spec may set, as well as the body's own environment. */
const VARIABLES = [
  'WORKER_PORT',
  'WORKER_HOST',
  'MAX_WORKERS',
  'QUEUE_SIZE',
  'MAX_CPU_PERCENT',
  'MAX_MEMORY_PERCENT',
  'TASK_TIMEOUT',
  'HEALTH_CHECK_INTERVAL',
  'HTTP_ALLOWED_HOSTS',
] as const;
type Variable = (typeof VARIABLES)[number];
/** Those that may be `none`. */
const OPTIONAL: readonly Variable[] = ['QUEUE_SIZE', 'MAX_CPU_PERCENT', 'MAX_MEMORY_PERCENT', 'TASK_TIMEOUT'];

const CHECK_SECONDS = 30;
/**
 * The defaults of a node that was started manually; each except the slots may be `none`. A worker of a
 * manager has the limits of its pool and its runtime instead.
 */
export const NODE_DEFAULTS = {
  slots: 4,
  queueSize: 100,
  maxCpuPercent: 90,
  maxMemoryPercent: 85,
  timeoutSeconds: 300,
} as const;
/** The directory of the handler files in an image, or their mount point. */
const HANDLERS_DIR = '/handlers';
/** Declarations (`.d.ts`) are not handler files. */
const HANDLER_FILE = /(?<!\.d)\.(py|[cm]?[jt]s)$/;

/** Reads the settings; throws an error with the variable's name and the allowed values. */
export function readTaskSettings(env: NodeJS.ProcessEnv, spec: WorkerSpec, external: boolean): TaskSettings {
  const own: Partial<Record<Variable, string>> = spec.agent_type === 'TASK' ? (spec.env ?? {}) : {};
  const textOf = (name: Variable) => own[name] || env[name];
  const isNone = (name: Variable) => OPTIONAL.includes(name) && textOf(name)?.toLowerCase() === 'none';
  const read = (name: Variable, quantity: Quantity): number | undefined => {
    const text = textOf(name);
    if (!text || isNone(name)) return undefined;
    const value = quantity.parse(text);
    if (value !== undefined) return value;
    const none = OPTIONAL.includes(name) ? ', or none' : '';
    throw new Error(`${name} is "${text}": it must be ${quantity.allowed}${none}.`);
  };
  const number = (name: Variable, range: Range) => read(name, numberIn(range));
  const count = (name: Variable, range: Range) => read(name, countIn(range));
  /** The default of a node that was started manually, if nothing is set. */
  const otherwise = (name: Variable, value: number | undefined, fallback: number): number | undefined =>
    value === undefined && external && !isNone(name) ? fallback : value;
  const pool = spec.pool ?? (env.WORKER_POOL || 'default');
  if (!POOL_NAME.pattern.test(pool))
    throw new Error(`WORKER_POOL is "${pool}": it must be ${POOL_NAME.allowed}.`);
  const unasked = external ? NODE_DEFAULTS.slots : 1;
  const limit = spec.max_job_time_seconds;
  const requested = isNone('TASK_TIMEOUT')
    ? TASK_TIMEOUT_LIMIT_SECONDS
    : number('TASK_TIMEOUT', [0.001, TASK_TIMEOUT_LIMIT_SECONDS]);
  const timeout = otherwise('TASK_TIMEOUT', requested, NODE_DEFAULTS.timeoutSeconds);
  const percent = (name: Variable, most: number, fallback: number) =>
    otherwise(name, number(name, [1, most]), fallback);
  return {
    pool,
    slots: count('MAX_WORKERS', [1, 256]) ?? spec.concurrency ?? unasked,
    port: count('WORKER_PORT', [0, 65_535]),
    host: own.WORKER_HOST || env.WORKER_HOST || '127.0.0.1',
    allowedHosts: parseHosts(own.HTTP_ALLOWED_HOSTS || env.HTTP_ALLOWED_HOSTS, env.WORKER_ID),
    queueSize: isNone('QUEUE_SIZE') ? 'none' : count('QUEUE_SIZE', [1, 10_000_000]),
    queueSizeOtherwise: external ? NODE_DEFAULTS.queueSize : undefined,
    maxCpuPercent: percent('MAX_CPU_PERCENT', 100_000, NODE_DEFAULTS.maxCpuPercent),
    maxMemoryPercent: percent('MAX_MEMORY_PERCENT', 100, NODE_DEFAULTS.maxMemoryPercent),
    timeoutSeconds: limit === undefined ? timeout : Math.min(timeout ?? limit, limit),
    checkMs: (number('HEALTH_CHECK_INTERVAL', [0.05, 3600]) ?? CHECK_SECONDS) * 1000,
    commands: external ? flag('TASK_COMMANDS', env.TASK_COMMANDS) : spec.commands === true,
    handlers: resolveHandlers(env, spec, external),
  };
}

/** The worker's own name is included, because it is the name of its service in a compose file. */
function parseHosts(text = '', workerId: string | undefined): string[] {
  const names = text.split(',').map((name) => name.trim());
  return [...names, workerId ?? ''].filter(Boolean);
}

function flag(name: string, text = ''): boolean {
  if (text === '' || text === 'false') return false;
  if (text === 'true') return true;
  throw new Error(`${name} is "${text}": it must be true or false.`);
}

/** The limits of a node that was started manually, by the names of their variables. */
export function toReportedLimits(own: TaskSettings): Record<string, unknown> {
  return {
    queue_size: own.queueSize ?? own.queueSizeOtherwise,
    max_cpu_percent: own.maxCpuPercent ?? 'none',
    max_memory_percent: own.maxMemoryPercent ?? 'none',
    task_timeout: own.timeoutSeconds === TASK_TIMEOUT_LIMIT_SECONDS ? 'none' : own.timeoutSeconds,
    health_check_interval: own.checkMs / 1000,
  };
}

/**
 * Relative names are in the folder; a node that was started manually uses all of its files, or the configured
 * ones.
 */
function resolveHandlers(env: NodeJS.ProcessEnv, spec: WorkerSpec, external: boolean): string[] {
  const folder = env.HANDLERS_DIR || HANDLERS_DIR;
  const named = external ? env.HANDLERS?.split(',').map((name) => name.trim()) : spec.handlers;
  const names = named?.filter(Boolean) ?? (external ? listHandlerFiles(folder) : []);
  return names.map((name) => (isAbsolute(name) ? name : join(folder, name)));
}

function listHandlerFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && HANDLER_FILE.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch {
    // Without a folder there are no handlers; such a node runs commands.
    return [];
  }
}
