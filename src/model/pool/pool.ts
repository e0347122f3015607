import { z } from 'zod';
import { getCapabilities, RUNTIME_MODES, type RuntimeName } from '../runtimes.ts';
import { DAY_SECONDS, TASK_TIMEOUT_LIMIT_SECONDS } from '../values/limits.ts';
import { POOL_NAME, WORKER_TYPE } from '../values/name-rules.ts';
import { DURATION_ALLOWED, parseDuration } from '../values/units.ts';
import { nameBy, specFields } from '../worker/spec.ts';
import { DESIRED_STATES } from '../worker/worker-states.ts';

/** Where the workers of a pool run, in a pool's terms: `direct` is the process runtime. */
export const EXECUTION_MODES = [...RUNTIME_MODES, 'auto'] as const;
export type ExecutionMode = (typeof EXECUTION_MODES)[number];

/** Maximum number of workers in one pool; a larger number is most likely a typing error. */
export const POOL_LIMIT = 10_000;
/** Defaults of a pool of task workers; both may be `none`. */
const MAX_JOB_SECONDS = 600;
/** Drain time without a `max_job_time`, in seconds; docker's own grace period is too short for tasks. */
const DRAIN_SECONDS = 60;
/** Maximum of a worker's `stop_grace_seconds`. */
const LONGEST_GRACE_SECONDS = 3600;

/** Name of a pool, which becomes part of keys, labels, metrics and paths. */
export const poolName = nameBy(POOL_NAME);

const size = z.number().int().min(0).max(POOL_LIMIT);
const seconds = (max: number) => z.number().min(0).max(max);

/** Seconds as a number, or a duration such as `90s`, `5m`, `1.5h` or `7d`. Stored as a number. */
const duration = z
  .union([
    z.number(),
    z.string().refine((text) => parseDuration(text) !== undefined, `must be ${DURATION_ALLOWED}`),
  ])
  .transform((given) => (typeof given === 'number' ? given : (parseDuration(given) ?? Number.NaN)))
  .pipe(
    z
      .number()
      .positive()
      .max(365 * DAY_SECONDS),
  );

/** When a pool of `min` to `max` workers grows and shrinks. */
export const autoscale = z.strictObject({
  /** Target number of tasks, waiting and running, per worker; `concurrency` by default. */
  target: z.number().positive().max(1_000_000).optional(),
  /**
   * The pool shrinks to the maximum that was needed within this time, so that a lull between two bursts keeps its
   * workers. 60 by default; Kubernetes uses 300, for bodies that start more slowly.
   */
  stabilization_seconds: seconds(DAY_SECONDS).default(60),
  /** Minimum time between two increases. */
  up_cooldown_seconds: seconds(DAY_SECONDS).default(0),
  /** Minimum time between any change of size and a decrease. */
  down_cooldown_seconds: seconds(DAY_SECONDS).default(15),
});

/** How workers of an old template are replaced, in the terms of a Kubernetes Deployment. */
export const updateStrategy = z
  .strictObject({
    /** Maximum number of workers above the desired number during a rollout. */
    max_surge: size.default(1),
    /** Maximum number of workers below the desired number during a rollout. */
    max_unavailable: size.default(0),
    /** The rollout stops if no worker of the new template becomes ready within this time. */
    progress_deadline_seconds: z.number().min(1).max(DAY_SECONDS).default(600),
    /** How long a new worker must be ready before it counts. */
    min_ready_seconds: seconds(3600).default(1),
  })
  .refine(({ max_surge, max_unavailable }) => max_surge + max_unavailable > 0, {
    path: ['max_surge'],
    message: 'must not be 0 if max_unavailable is 0: nothing could be replaced',
  });

/** Defaults for tasks of this pool. */
export const taskDefaults = z.strictObject({
  timeout_seconds: z.number().positive().max(TASK_TIMEOUT_LIMIT_SECONDS).optional(),
  max_retries: z.number().int().min(0).max(1000).optional(),
  /** Maximum number of waiting tasks; beyond it, `submit` fails with `capacity`. */
  queue_size: z.number().int().min(1).max(10_000_000).optional(),
});

const {
  agent_type: _,
  prompt: __,
  exit_after_prompt: ___,
  runtime: ____,
  name: _____,
  ...common
} = specFields;
/** The template of an agent pool's workers: a `create` without the fields that the pool itself sets. */
export const poolTemplate = z.strictObject({
  ...common,
  agent_type: specFields.agent_type.exclude(['TASK']),
  restart_policy: specFields.restart_policy.unwrap().default('always'),
});

/** The fields of a pool in a file, a command and the record. */
export const poolFields = {
  /** Name of the pool; applying a pool with the same name again updates it. */
  name: poolName,
  /** Type under which its workers are named and counted; the pool's name by default. */
  worker_type: nameBy(WORKER_TYPE).optional(),
  /** Fixed number of workers. */
  count: size.optional(),
  /** Minimum number of workers, for a pool that is scaled on its queue; requires `max`. */
  min: size.optional(),
  /** Maximum number of workers, for a pool that is scaled on its queue; requires `min`. */
  max: size.optional(),
  /** One mode for all workers, or a number for each: `{docker: 2, direct: 3}`. The ratio is kept if the total changes. */
  execution_mode: z
    .union([z.enum(EXECUTION_MODES), z.strictObject({ docker: size, direct: size })])
    .default('auto'),
  /** Image that contains the wrapper, instead of one that the manager builds; Docker only. */
  image: z.string().min(1).max(512).optional(),
  /** Tools in the image that the manager builds; Docker only. */
  modules: specFields.modules,
  /** Python packages in the image that the manager builds: a list, or the text of a requirements file; Docker only. */
  requirements: specFields.requirements,
  /** Debian packages in the image that the manager builds; Docker only. */
  packages: specFields.packages,
  /** Environment variables of the handlers. Do not put secrets here; use `secrets`. */
  env: specFields.env,
  /** Names of files in the operator's SECRETS_DIR. */
  secrets: specFields.secrets,
  /** Labels of its workers; a changed label replaces them, like any change of the template. */
  labels: specFields.labels,
  /** URLs to which the changes of its workers are reported. */
  webhooks: specFields.webhooks,
  /**
   * Memory limit of one worker, such as `512m`, or `none`. By default 1g for task workers in Docker and no limit for
   * direct workers.
   */
  memory_limit: z.string().optional(),
  /** CPU limit of one worker in cores, such as 1.5. */
  cpus: z.number().min(0.01).max(1024).optional(),
  /**
   * Maximum duration of one task: seconds, a duration such as `5m`, or `none`; by default 600, and no limit for turns
   * of agents.
   */
  max_job_time: z.union([z.literal('none'), duration]).optional(),
  /** Handler files: relative to the operator's HANDLERS_DIR, or absolute paths inside the body. */
  handlers: specFields.handlers,
  /** Number of tasks that one worker runs at the same time. */
  concurrency: specFields.concurrency.unwrap().default(1),
  /**
   * Whether tasks may be commands, that is, any program with any arguments; by default only functions of its handlers.
   */
  commands: z.boolean().default(false),
  /** Makes this a pool of agents: a task `{prompt}` is one turn. */
  template: poolTemplate.optional(),
  /** Number of additional booted agents that are available for a `create` that matches the template. */
  warm: size.optional(),
  /** How a pool with `min` and `max` grows and shrinks. */
  autoscale: autoscale.optional(),
  /** How workers of an older template are replaced. */
  update: updateStrategy.optional(),
  /** How long a busy worker may continue before it is stopped; by default `max_job_time`, at most an hour. */
  drain_seconds: seconds(LONGEST_GRACE_SECONDS).optional(),
  /** Defaults for tasks of this pool. */
  tasks: taskDefaults.optional(),
};

/** Fields of a worker that the template of an agent pool contains. */
const NOT_WITH_TEMPLATE = [
  ...(['handlers', 'modules', 'requirements', 'packages', 'env', 'secrets', 'labels', 'webhooks'] as const),
  ...(['memory_limit', 'cpus'] as const),
] as const;

/** The spec of a pool. */
export const poolSpec = z.strictObject(poolFields).superRefine((given, context) => {
  const issue = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  const { count, min, max, warm, template, execution_mode: mode } = given;
  const mixed = typeof mode === 'object';
  if (count !== undefined && (min !== undefined || max !== undefined))
    issue('count', 'cannot be combined with min and max');
  if ((min === undefined) !== (max === undefined))
    issue(min === undefined ? 'min' : 'max', 'is required: min and max must be set together');
  if (min !== undefined && max !== undefined && min > max) issue('min', `must not be above max, ${max}`);
  if (max === 0) issue('max', 'must be at least 1');
  if (count === undefined && min === undefined && warm === undefined && !mixed)
    issue('count', 'is required, or min and max');
  if (mixed && mode.docker + mode.direct === 0) issue('execution_mode', 'must name at least one worker');
  if (given.autoscale && min === undefined) issue('autoscale', 'requires min and max');
  if (template) {
    for (const field of NOT_WITH_TEMPLATE)
      if (given[field] !== undefined)
        issue(field, `cannot be set on a pool with a template; set it in the template`);
    if (given.commands) issue('commands', 'cannot be set on a pool with a template: its tasks are prompts');
  } else if (warm !== undefined) issue('warm', 'requires a template: task workers cannot be warm');
  const memory =
    given.memory_limit &&
    given.memory_limit !== 'none' &&
    specFields.resources.unwrap().safeParse({ memory: given.memory_limit });
  if (memory && !memory.success) issue('memory_limit', memory.error.issues[0]?.message ?? 'must be a size');
});
export type PoolSpec = z.infer<typeof poolSpec>;
/** A pool as users write it. */
export type PoolInput = z.input<typeof poolSpec>;

/** The desired record, `pool:<name>`; only commands write it. */
export const poolRecord = z.object({
  spec: poolSpec,
  desired: z.enum(DESIRED_STATES),
  generation: z.number().int().positive(),
  created_at: z.string(),
  request_id: z.string(),
});
export type PoolRecord = z.infer<typeof poolRecord>;

/** The type under which workers of the pool are named and counted. */
export const getWorkerType = ({ name, worker_type }: PoolSpec): string => worker_type ?? name;

/** Time between SIGTERM and SIGKILL of its workers, in seconds: the maximum duration of a task, if the pool sets one. */
export const getDrainSeconds = ({ drain_seconds, max_job_time }: PoolSpec): number =>
  drain_seconds ??
  Math.min(typeof max_job_time === 'number' ? max_job_time : DRAIN_SECONDS, LONGEST_GRACE_SECONDS);

/** The maximum duration of one task or turn, in seconds; undefined if there is no limit. */
export const getMaxJobSeconds = ({ max_job_time, template }: PoolSpec): number | undefined =>
  max_job_time === 'none' ? undefined : (max_job_time ?? (template ? undefined : MAX_JOB_SECONDS));

/**
 * The memory limit of one worker; undefined if there is none. Direct workers have none by default, because not every
 * machine can enforce it.
 */
export const getMemoryLimit = (
  { memory_limit, template }: PoolSpec,
  runtime: RuntimeName,
): string | undefined =>
  memory_limit === 'none'
    ? undefined
    : (memory_limit ?? (template ? undefined : getCapabilities(runtime).taskMemory));
