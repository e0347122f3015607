/**
 * Whether the body of a warm worker can become that of another one. Pure.
 *
 * Owns the answer for every field of a spec: what is settled when a body boots has to be equal, the rest the wrapper
 * is set when it is claimed. What must always hold: a worker in a body that it took over is as it would be in one
 * of its own. Must not import anything but the model.
 */
import { parseMemory, type WorkerSpec } from '../../model/index.ts';

/**
 * - `fixed`: settled by the image or when the body boots; has to be equal. `set`: the same, in any order.
 * - `limits`: can be changed on a living body, where its runtime can.
 * - `later`: sent to the wrapper, or used by the manager alone.
 *
 * A mapped type: a field without its answer does not compile.
 */
const FIELDS: { [F in keyof Required<WorkerSpec>]: 'fixed' | 'set' | 'limits' | 'later' } = {
  agent_type: 'fixed',
  agent_version: 'fixed',
  image: 'fixed',
  protocol: 'fixed',
  runtime: 'fixed',
  // Handlers are mounted into the container; workers with any are never warm.
  handlers: 'set',
  modules: 'set',
  requirements: 'set',
  packages: 'set',
  // They decide what of the file system can be written and executed, not only whom the agent may call.
  allowed_commands: 'set',
  resources: 'limits',
  instructions: 'later',
  prompt: 'later',
  exit_after_prompt: 'later',
  command_line: 'later',
  env: 'later',
  secrets: 'later',
  name: 'later',
  labels: 'later',
  restart_policy: 'later',
  max_restarts: 'later',
  stop_grace_seconds: 'later',
  start_deadline_seconds: 'later',
  ttl_seconds: 'later',
  idle_timeout_seconds: 'later',
  silence_timeout_seconds: 'later',
  keep_finished_seconds: 'later',
  concurrency: 'later',
  commands: 'later',
  max_job_time_seconds: 'later',
  worker_type: 'later',
  pool: 'later',
  pool_revision: 'later',
  warm: 'later',
};

/** What a field that is not given stands for. */
const DEFAULTS: Partial<Record<keyof WorkerSpec, unknown>> = {
  protocol: 'lines',
  modules: [],
  requirements: [],
  packages: [],
  handlers: [],
};

type Limit = keyof NonNullable<WorkerSpec['resources']>;
const LIMITS: readonly Limit[] = ['memory', 'cpus', 'pids'];

/** Why this spec cannot take over the body of that warm worker, as a field's name; `undefined` where it can. */
export function findMismatch(
  warm: WorkerSpec,
  requested: WorkerSpec,
  /** Limits that the runtime can change on a living body. */
  adjustable: ReadonlySet<Limit>,
): string | undefined {
  for (const field of Object.keys(FIELDS) as (keyof WorkerSpec)[]) {
    const [has, wants] = [warm[field] ?? DEFAULTS[field], requested[field] ?? DEFAULTS[field]];
    if (FIELDS[field] === 'fixed' && has !== wants) return field;
    if (FIELDS[field] === 'set' && !sameSet(has, wants)) return field;
  }
  const limit = changedLimits(warm, requested).find(
    // No engine takes a limit back as if it had never been.
    (name) => requested.resources?.[name] === undefined || !adjustable.has(name),
  );
  return limit && `resources.${limit}`;
}

/** The limits that the body has to be given before it may serve the worker that asked. */
export function changedLimits(warm: WorkerSpec, requested: WorkerSpec): Limit[] {
  return LIMITS.filter((name) => parseLimit(warm, name) !== parseLimit(requested, name));
}

function parseLimit({ resources }: WorkerSpec, name: Limit): number | undefined {
  const size = resources?.[name];
  return typeof size === 'string' ? parseMemory(size) : size;
}

function sameSet(has: unknown, wants: unknown): boolean {
  if (!Array.isArray(has) || !Array.isArray(wants)) return has === wants;
  const [actual, expected] = [new Set(has), new Set(wants)];
  return actual.size === expected.size && [...actual].every((item) => expected.has(item));
}

/** The spec of a warm worker for a pool's template: what a body needs to boot, and nothing that is set later. */
export function toWarmSpec(template: WorkerSpec): WorkerSpec {
  const { pool, pool_revision, worker_type, command_line, resources, start_deadline_seconds } = template;
  const fixed = Object.fromEntries(
    Object.entries(template).filter(([field]) =>
      ['fixed', 'set'].includes(FIELDS[field as keyof WorkerSpec]),
    ),
  ) as Pick<WorkerSpec, 'agent_type' | 'runtime'>;
  return {
    ...fixed,
    ...(command_line && { command_line }),
    ...(resources && { resources }),
    ...(pool && { pool }),
    ...(pool_revision && { pool_revision }),
    ...(worker_type && { worker_type }),
    warm: true,
    restart_policy: 'always',
    // Nothing runs in it that would have to come to an end.
    stop_grace_seconds: 2,
    start_deadline_seconds,
    keep_finished_seconds: 0,
  };
}
