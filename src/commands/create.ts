import {
  type CommandOf,
  Fault,
  instant,
  type RuntimeName,
  type WorkerSpec,
  workerSpec,
} from '../model/index.ts';
import { refuseTheImpossible, warningsOf } from './ability.ts';
import { type CommandContext, type Plan, refusal, success } from './context.ts';

/** Declares a worker. `auto` is resolved here, once, so that no later look can choose another runtime. */
export async function create(command: CommandOf<'create'>, context: CommandContext): Promise<Plan> {
  const { command: _, request_id, reply_to: __, worker_id = context.newId(), ...given } = command;
  const runtime = resolveRuntime(given.runtime, context);
  await refuseTheImpossible(given, runtime, context.abilities);
  refuseUnenforcedLimits(given.resources, runtime, context);
  const spec: WorkerSpec = workerSpec.parse({ ...given, runtime });
  const taken = new Fault(
    'conflict',
    `The worker ${worker_id} exists already, or did a while ago; ids are not used twice.`,
  );
  const warnings = warningsOf(given, runtime);
  const ms = context.now();
  const prompt = spec.prompt && JSON.stringify({ type: 'prompt', content: spec.prompt, request_id });
  return {
    operation: 'create',
    workerId: worker_id,
    created: { spec, at: instant(ms), ms, prompt },
    answers: {
      ok: success(command, { worker_id, ...(warnings.length > 0 && { warnings }) }),
      conflict: refusal(command, taken),
    },
  };
}

function resolveRuntime(asked: RuntimeName | 'auto', { runtimes }: CommandContext): RuntimeName {
  const names = runtimes.map(({ name }) => name);
  if (asked !== 'auto') {
    if (names.includes(asked)) return asked;
    const message = `The runtime ${asked} is not in use by this manager, which uses ${names.join(' and ')}.`;
    throw new Fault('unsupported', message, {
      issues: [{ path: 'runtime', message: `must be one of ${names.join(', ')}, auto` }],
    });
  }
  const first = runtimes.find(({ info }) => info) ?? runtimes.at(-1);
  if (!first) throw new Fault('unavailable', 'This manager has no runtime to put a worker in.');
  return first.name;
}

function refuseUnenforcedLimits(
  asked: WorkerSpec['resources'],
  name: RuntimeName,
  context: CommandContext,
): void {
  const info = context.runtimes.find((runtime) => runtime.name === name)?.info;
  if (!info || !asked) return;
  const issues = (['memory', 'cpus', 'pids'] as const)
    .filter((limit) => asked[limit] !== undefined && !info.limits[limit].supported)
    .map((limit) => ({
      path: `resources.${limit}`,
      message: `cannot be enforced: ${info.limits[limit].how}`,
    }));
  if (issues.length === 0) return;
  const list = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new Fault('unsupported', `The ${name} runtime of this machine cannot limit that: ${list}.`, {
    issues,
  });
}
