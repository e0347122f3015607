/** The template of a pool's workers. Pure: IDs and instants are parameters. */
import {
  computeDigest,
  findMisplacedFields,
  getCapabilities,
  getDrainSeconds,
  getMaxJobSeconds,
  getMemoryLimit,
  getWorkerType,
  IMAGE_RUNTIME,
  type Issue,
  type PoolSpec,
  type RuntimeName,
  toIssues,
  toMode,
  type WorkerSpec,
  workerSpec,
} from '../model/index.ts';
import { getRuntimes } from './placement.ts';
import { toWarmSpec } from './warm/match.ts';

/** Seconds until the record of a worker that left a pool is deleted: its end is in the pool's history. */
const KEEP_SECONDS = 3600;

/** The spec that all workers of this pool share, without the name and other fields of a single worker. */
export function toTemplate(spec: PoolSpec, runtime: RuntimeName): Partial<WorkerSpec> {
  const { name, template, image, handlers, concurrency, modules, env, secrets, labels } = spec;
  const { cpus, requirements, packages, webhooks } = spec;
  const { usesImages } = getCapabilities(runtime);
  const memory = getMemoryLimit(spec, runtime);
  const maxJobSeconds = getMaxJobSeconds(spec);
  const common = {
    runtime,
    pool: name,
    worker_type: getWorkerType(spec),
    ...(image && usesImages && { image }),
    ...(maxJobSeconds !== undefined && { max_job_time_seconds: maxJobSeconds }),
    keep_finished_seconds: KEEP_SECONDS,
  };
  if (template) return { ...template, ...common, stop_grace_seconds: getDrainSeconds(spec) };
  const limits = { ...(memory !== undefined && { memory }), ...(cpus !== undefined && { cpus }) };
  return {
    ...common,
    agent_type: 'TASK',
    concurrency,
    ...(handlers && { handlers }),
    ...(spec.commands && { commands: true }),
    ...(usesImages && {
      ...(modules && { modules }),
      ...(requirements && { requirements }),
      ...(packages && { packages }),
    }),
    ...(env && { env }),
    ...(secrets && { secrets }),
    ...(labels && { labels }),
    ...(webhooks && { webhooks }),
    ...(Object.keys(limits).length > 0 && { resources: limits }),
    restart_policy: 'always',
    stop_grace_seconds: getDrainSeconds(spec),
  };
}

/** Identifies the template: it differs exactly if workers have to be replaced. */
export function computeRevision(spec: PoolSpec): string {
  // Their number, their placement and how they leave are not part of the template.
  const { stop_grace_seconds: _, keep_finished_seconds: __, ...made } = toTemplate(spec, IMAGE_RUNTIME);
  return computeDigest(made);
}

/** The spec of one worker: `docker-{type}-{index}-{uuid}` or `direct-{type}-{index}-{uuid}`. */
export function createMemberSpec(
  spec: PoolSpec,
  { id, index, runtime, warm }: { id: string; index: number; runtime: RuntimeName; warm: boolean },
): WorkerSpec {
  const made = {
    ...toTemplate(spec, runtime),
    pool_revision: computeRevision(spec),
    name: `${toMode(runtime)}-${getWorkerType(spec)}-${index}-${id}`,
  };
  const parsed = workerSpec.parse(made);
  return warm ? { ...toWarmSpec(parsed), name: made.name } : parsed;
}

/** Errors in a pool's template beyond the schema of its fields, by their paths in the pool's file. */
export function templateIssues(spec: PoolSpec): Issue[] {
  const made = toTemplate(spec, getRuntimes(spec.execution_mode)[0] ?? IMAGE_RUNTIME);
  const read = workerSpec.safeParse(made);
  const issues = read.success ? findMisplacedFields(made) : toIssues(read.error);
  return issues.map(({ path, message }) => ({ path: toTemplatePath(spec, path), message }));
}

/** Fields that have another name in a pool's file. */
const NAMES: Record<string, string> = {
  'resources.memory': 'memory_limit',
  'resources.cpus': 'cpus',
  max_job_time_seconds: 'max_job_time',
  stop_grace_seconds: 'drain_seconds',
};

/** Returns the path of a worker's field in the pool's file. */
export function toTemplatePath({ template }: PoolSpec, path: string): string {
  const own = NAMES[path];
  if (template && path !== 'image' && !(own && path !== 'resources.memory' && path !== 'resources.cpus'))
    return `template.${path}`;
  return own ?? path;
}
