/** What a worker of a pool is made of. Pure: ids and instants come from outside. */
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

/** What a worker of this pool is, but for its name; what belongs to one worker only is not in it. */
export function toTemplate(spec: PoolSpec, runtime: RuntimeName): Partial<WorkerSpec> {
  const { name, template, image, handlers, concurrency, modules, env, secrets, labels } = spec;
  const { cpus, requirements, packages } = spec;
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
    ...(Object.keys(limits).length > 0 && { resources: limits }),
    restart_policy: 'always',
    stop_grace_seconds: getDrainSeconds(spec),
  };
}

/** Names the template: equal for equal ones, and another one where workers have to be replaced. */
export function computeRevision(spec: PoolSpec): string {
  // How many there are, where they live and how they leave says nothing about what they are.
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

/** What is wrong with a pool's template beyond the shape of its fields, by the paths of the pool's own file. */
export function templateIssues(spec: PoolSpec): Issue[] {
  const made = toTemplate(spec, getRuntimes(spec.execution_mode)[0] ?? IMAGE_RUNTIME);
  const read = workerSpec.safeParse(made);
  const issues = read.success ? findMisplacedFields(made) : toIssues(read.error);
  return issues.map(({ path, message }) => ({ path: toTemplatePath(spec, path), message }));
}

/** Names of fields that a pool's file calls otherwise. */
const NAMES: Record<string, string> = {
  'resources.memory': 'memory_limit',
  'resources.cpus': 'cpus',
  max_job_time_seconds: 'max_job_time',
  stop_grace_seconds: 'drain_seconds',
};

/** The path in a pool's file of a field of its workers. */
export function toTemplatePath({ template }: PoolSpec, path: string): string {
  const own = NAMES[path];
  if (template && path !== 'image' && !(own && path !== 'resources.memory' && path !== 'resources.cpus'))
    return `template.${path}`;
  return own ?? path;
}
