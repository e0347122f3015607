/**
 * Whether the body of a warm worker can become that of another one. Pure.
 *
 * Defines the rule for every field of a spec: fields that are fixed when a body boots must be equal; the
 * others are set when the body is claimed. Invariant: a worker in a claimed body behaves as in a body of its
 * own. Imports only the model.
 */
import { parseMemory, persists, type WorkerSpec } from '../../model/index.ts';

/**
 * - `fixed`: determined by the image or when the body boots; must be equal. `set`: the same, in any order.
 * - `files`: like `fixed`, except for what fills the folder, which the wrapper does for the claiming worker.
 * - `limits`: can be changed on a running body, if its runtime supports that.
 * - `later`: sent to the wrapper, or used by the manager alone.
 *
 * A mapped type: a field without a rule does not compile.
 */
const FIELDS: { [F in keyof Required<WorkerSpec>]: 'fixed' | 'set' | 'files' | 'limits' | 'later' } = {
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
  // They determine which files can be written and executed, not only which commands the agent may run.
  allowed_commands: 'set',
  workspace: 'files',
  checkpoint: 'later',
  // The wrapper fills the folder for the claiming worker.
  from_checkpoint: 'later',
  resources: 'limits',
  instructions: 'later',
  prompt: 'later',
  exit_after_prompt: 'later',
  command_line: 'later',
  env: 'later',
  secrets: 'later',
  name: 'later',
  labels: 'later',
  webhooks: 'later',
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
  ports: 'later',
  warm: 'later',
};

/** The defaults of absent fields. */
const DEFAULTS: Partial<Record<keyof WorkerSpec, unknown>> = {
  protocol: 'lines',
  modules: [],
  requirements: [],
  packages: [],
  handlers: [],
};

type Limit = keyof NonNullable<WorkerSpec['resources']>;
const LIMITS: readonly Limit[] = ['memory', 'cpus', 'pids'];

/**
 * The field that prevents this spec from claiming the warm worker's body; `undefined` if it can be claimed.
 */
export function findMismatch(
  warm: WorkerSpec,
  requested: WorkerSpec,
  /** Limits that the runtime can change on a running body. */
  adjustable: ReadonlySet<Limit>,
): string | undefined {
  for (const field of Object.keys(FIELDS) as (keyof WorkerSpec)[]) {
    const [has, wants] = [warm[field] ?? DEFAULTS[field], requested[field] ?? DEFAULTS[field]];
    if (FIELDS[field] === 'fixed' && has !== wants) return field;
    if (FIELDS[field] === 'set' && !sameSet(has, wants)) return field;
  }
  if (persists(warm) !== persists(requested)) return 'workspace.persist';
  if (warm.workspace?.size !== requested.workspace?.size) return 'workspace.size';
  const limit = changedLimits(warm, requested).find(
    // No engine can remove a limit from a running body.
    (name) => requested.resources?.[name] === undefined || !adjustable.has(name),
  );
  return limit && `resources.${limit}`;
}

/** The limits that must be set on the body before it may serve the claiming worker. */
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

/** The spec of a warm worker for a pool's template: only the fields that a body needs to boot. */
export function toWarmSpec(template: WorkerSpec): WorkerSpec {
  const { pool, pool_revision, worker_type, command_line, resources, start_deadline_seconds } = template;
  // Its source is fetched for the worker that claims the body.
  const { source: _, ...files } = template.workspace ?? {};
  const fixed = Object.fromEntries(
    Object.entries(template).filter(([field]) =>
      ['fixed', 'set'].includes(FIELDS[field as keyof WorkerSpec]),
    ),
  ) as Pick<WorkerSpec, 'agent_type' | 'runtime'>;
  return {
    ...fixed,
    ...(command_line && { command_line }),
    ...(resources && { resources }),
    ...(Object.keys(files).length > 0 && { workspace: files }),
    ...(pool && { pool }),
    ...(pool_revision && { pool_revision }),
    ...(worker_type && { worker_type }),
    warm: true,
    restart_policy: 'always',
    // It runs nothing that would need time to finish.
    stop_grace_seconds: 2,
    start_deadline_seconds,
    keep_finished_seconds: 0,
  };
}
