import { z } from 'zod';
import { DESIRED_STATES } from './record.ts';
import { specFields } from './spec.ts';
import { DURATION_ALLOWED, parseDuration } from './units.ts';

/** Where the workers of a pool live, in the words of a pool: `direct` is the process runtime. */
export const EXECUTION_MODES = ['docker', 'direct', 'auto'] as const;
export type ExecutionMode = (typeof EXECUTION_MODES)[number];

/** More workers than this in one pool are a typing error until somebody shows otherwise. */
export const POOL_LIMIT = 10_000;
const DAY = 86_400;
/** What holds for a pool of task workers that says nothing else; both may be `none`. */
const MAX_JOB_SECONDS = 600;
const DOCKER_MEMORY = '1g';
/** A drain without a `max_job_time` to follow, in seconds: docker's own grace is for what has nothing to finish. */
const DRAIN_SECONDS = 60;
/** What the worker's own `stop_grace_seconds` may be at most. */
const LONGEST_GRACE_SECONDS = 3600;

/** A pool's name: it becomes part of keys, labels, metrics and paths. */
export const poolName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be at most 63 of a-z, 0-9 and - (as a DNS label)');

const size = z.number().int().min(0).max(POOL_LIMIT);
const seconds = (max: number) => z.number().min(0).max(max);

/** Seconds as a number, or as people write them: `90s`, `5m`, `1.5h`, `7d`. Stored as a number. */
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
      .max(365 * DAY),
  );

/** When a pool of `min` to `max` workers grows and shrinks. */
export const autoscale = z.strictObject({
  /** Tasks, waiting and running, that one worker is meant to have; without it, `concurrency`. */
  target: z.number().positive().max(1_000_000).optional(),
  /** It shrinks to the most that was needed within this time: a lull between two bursts keeps its workers. 60 without it; Kubernetes waits 300, for bodies that are slower to come. */
  stabilization_seconds: seconds(DAY).default(60),
  /** After it has grown, it does not grow again for so long. */
  up_cooldown_seconds: seconds(DAY).default(0),
  /** After it has changed its size, it does not shrink for so long. */
  down_cooldown_seconds: seconds(DAY).default(15),
});

/** How workers of an old template are replaced, in the words of a Kubernetes Deployment. */
export const updateStrategy = z
  .strictObject({
    /** Workers above the desired number while they are replaced. */
    max_surge: size.default(1),
    /** Workers below the desired number while they are replaced. */
    max_unavailable: size.default(0),
    /** No worker of the new template became ready for so long: the rollout is stopped. */
    progress_deadline_seconds: z.number().min(1).max(DAY).default(600),
    /** A new worker has to be ready for so long before it counts. */
    min_ready_seconds: seconds(3600).default(1),
  })
  .refine(({ max_surge, max_unavailable }) => max_surge + max_unavailable > 0, {
    path: ['max_surge'],
    message: 'must not be 0 where max_unavailable is 0: nothing could be replaced',
  });

/** What holds for tasks of this pool that do not say otherwise. */
export const taskDefaults = z.strictObject({
  timeout_seconds: z
    .number()
    .positive()
    .max(7 * DAY)
    .optional(),
  max_retries: z.number().int().min(0).max(1000).optional(),
  /** Waiting tasks; at this number a `submit` is refused with `capacity`. */
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
/** What a worker of an agent pool is made of: a `create` without what the pool itself decides. */
export const poolTemplate = z.strictObject({
  ...common,
  agent_type: specFields.agent_type.exclude(['TASK']),
  restart_policy: specFields.restart_policy.unwrap().default('always'),
});

/** The fields of a pool, as they stand in a file, a command and the record. */
export const poolFields = {
  /** Its name: a pool applied again under the same one is the same pool. */
  name: poolName,
  /** What its workers are called and counted by; without it, the pool's name. */
  worker_type: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$/, 'must be at most 40 of a-z, 0-9, _ and -')
    .optional(),
  /** A fixed number of workers. */
  count: size.optional(),
  /** The least workers of a pool that is scaled on its queue; goes with `max`. */
  min: size.optional(),
  /** The most workers of a pool that is scaled on its queue. */
  max: size.optional(),
  /** One mode for all, or so many of each: `{docker: 2, direct: 3}`, kept in proportion when the number changes. */
  execution_mode: z
    .union([z.enum(EXECUTION_MODES), z.strictObject({ docker: size, direct: size })])
    .default('auto'),
  /** An image that holds the wrapper, instead of one that is built; Docker only. */
  image: z.string().min(1).max(512).optional(),
  /** Tools in the image that is built for it; Docker only. */
  modules: specFields.modules,
  /** Python packages in the image that is built for it: a list, or the text of a requirements file; Docker only. */
  requirements: specFields.requirements,
  /** Debian packages in the image that is built for it; Docker only. */
  packages: specFields.packages,
  /** Variables of the handlers; never for secrets, which are named in `secrets`. */
  env: specFields.env,
  /** Names of files in the operator's SECRETS_DIR. */
  secrets: specFields.secrets,
  /** Labels of its workers; another value replaces them, as any change of what they are made of. */
  labels: specFields.labels,
  /** Memory of one worker, as docker writes it: `512m`, or `none`. Task workers in Docker have 1g without it, direct ones no limit. */
  memory_limit: z.string().optional(),
  /** Cores of one worker, such as 1.5. */
  cpus: z.number().min(0.01).max(1024).optional(),
  /** The longest that one task may run: seconds, `5m`, or `none`; 600 without it, and no limit for the turns of agents. */
  max_job_time: z.union([z.literal('none'), duration]).optional(),
  /** Files of handlers: relative to the operator's HANDLERS_DIR, or absolute as the body sees them. */
  handlers: specFields.handlers,
  /** Tasks that one worker runs at once. */
  concurrency: specFields.concurrency.unwrap().default(1),
  /** Whether its tasks may be commands, any program with any arguments; without it, functions of its handlers only. */
  commands: z.boolean().default(false),
  /** Makes it a pool of agents: one task `{prompt}` is one turn. */
  template: poolTemplate.optional(),
  /** Booted agents beyond the number above that wait for a `create` that matches the template. */
  warm: size.optional(),
  /** How a pool with `min` and `max` grows and shrinks. */
  autoscale: autoscale.optional(),
  /** How workers of an older template are replaced. */
  update: updateStrategy.optional(),
  /** How long a busy worker may go on when it has to leave; without it `max_job_time`, at most an hour. */
  drain_seconds: seconds(LONGEST_GRACE_SECONDS).optional(),
  /** What holds for its tasks that do not say otherwise. */
  tasks: taskDefaults.optional(),
};

/** Fields of a worker that a pool of agents has in its template. */
const NOT_WITH_TEMPLATE = [
  ...(['handlers', 'modules', 'requirements', 'packages', 'env', 'secrets', 'labels'] as const),
  ...(['memory_limit', 'cpus'] as const),
] as const;

/** What is asked of a pool. */
export const poolSpec = z.strictObject(poolFields).superRefine((given, context) => {
  const issue = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  const { count, min, max, warm, template, execution_mode: mode } = given;
  const mixed = typeof mode === 'object';
  if (count !== undefined && (min !== undefined || max !== undefined))
    issue('count', 'cannot be combined with min and max');
  if ((min === undefined) !== (max === undefined))
    issue(min === undefined ? 'min' : 'max', 'is required: min and max go together');
  if (min !== undefined && max !== undefined && min > max) issue('min', `must not be above max, ${max}`);
  if (max === 0) issue('max', 'must be at least 1');
  if (count === undefined && min === undefined && warm === undefined && !mixed)
    issue('count', 'is required, or min and max');
  if (mixed && mode.docker + mode.direct === 0) issue('execution_mode', 'must name at least one worker');
  if (given.autoscale && min === undefined) issue('autoscale', 'needs min and max');
  if (template) {
    for (const field of NOT_WITH_TEMPLATE)
      if (given[field] !== undefined) issue(field, `is not for a pool with a template: put it there`);
    if (given.commands) issue('commands', 'is not for a pool with a template: its tasks are prompts');
  } else if (warm !== undefined) issue('warm', 'needs a template: task workers are not taken over');
  const memory =
    given.memory_limit &&
    given.memory_limit !== 'none' &&
    specFields.resources.unwrap().safeParse({ memory: given.memory_limit });
  if (memory && !memory.success) issue('memory_limit', memory.error.issues[0]?.message ?? 'must be a size');
});
export type PoolSpec = z.infer<typeof poolSpec>;
/** A pool as people write it. */
export type PoolInput = z.input<typeof poolSpec>;

/** The desired record, `pool:<name>`: only commands write it. */
export const poolRecord = z.object({
  spec: poolSpec,
  desired: z.enum(DESIRED_STATES),
  generation: z.number().int().positive(),
  created_at: z.string(),
  request_id: z.string(),
});
export type PoolRecord = z.infer<typeof poolRecord>;

/** What workers of the pool are called and counted by. */
export const workerTypeOf = ({ name, worker_type }: PoolSpec): string => worker_type ?? name;

/** Between SIGTERM and SIGKILL of its workers, in seconds: as long as a task may still take, where the pool says how long that is. */
export const drainSecondsOf = ({ drain_seconds, max_job_time }: PoolSpec): number =>
  drain_seconds ??
  Math.min(typeof max_job_time === 'number' ? max_job_time : DRAIN_SECONDS, LONGEST_GRACE_SECONDS);

/** The longest that one task or turn may run, in seconds; undefined: as long as it likes. */
export const maxJobSecondsOf = ({ max_job_time, template }: PoolSpec): number | undefined =>
  max_job_time === 'none' ? undefined : (max_job_time ?? (template ? undefined : MAX_JOB_SECONDS));

/** The memory limit of one worker; undefined: none. Direct workers have none by default: not every machine can enforce one. */
export const memoryLimitOf = (
  { memory_limit, template }: PoolSpec,
  runtime: 'docker' | 'process',
): string | undefined =>
  memory_limit === 'none'
    ? undefined
    : (memory_limit ?? (runtime === 'docker' && !template ? DOCKER_MEMORY : undefined));
