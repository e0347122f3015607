import {
  type CommandOf,
  Fault,
  formatInstant,
  type LifecycleEvent,
  type WorkerSpec,
  workerSpec,
} from '../model/index.ts';
import { getWarnings, rejectUnsupported } from '../placement/capabilities.ts';
import { chooseRuntime, type PlacementDecision } from '../placement/choose-runtime.ts';
import { rejectUnenforcedLimits } from '../placement/limits.ts';
import { type CommandContext, failureResponse, type Plan, type Refusal, successResponse } from './context.ts';

/** Creates a worker. `auto` is resolved here, once, so that no later reconcile can select another runtime. */
export async function planCreate(command: CommandOf<'create'>, context: CommandContext): Promise<Plan> {
  const {
    command: _,
    request_id,
    reply_to: __,
    traceparent,
    worker_id = context.newId(),
    ...given
  } = command;
  const choice = await chooseRuntime(given, context);
  const { runtime, reason: runtime_reason } = choice;
  await rejectUnsupported(given, runtime, context.capabilities);
  rejectUnenforcedLimits(given.resources, runtime, context);
  const spec: WorkerSpec = workerSpec.parse({ ...given, runtime });
  const taken: Refusal = {
    code: 'conflict',
    message: `The worker ${worker_id} exists or existed before; IDs are not reused.`,
  };
  const named: Refusal = {
    code: 'conflict',
    message: `The name ${spec.name} is used by the worker @holder@, which has not ended; delete that worker, or choose another name.`,
    issues: [{ path: 'name', message: 'is used by the worker @holder@' }],
  };
  const warnings = getWarnings(given, runtime);
  const warm = await context.warm?.(spec);
  // A worker that claims a body does not add one.
  const full = warm ? undefined : context.full?.();
  if (full !== undefined) throw new Fault('capacity', full);
  const ms = context.now();
  const at = formatInstant(ms);
  const event = context.runtimes.length > 1 ? runtimeChosenEvent(choice, at) : undefined;
  const prompt = spec.prompt && JSON.stringify({ type: 'prompt', content: spec.prompt, request_id });
  return {
    operation: 'create',
    workerId: worker_id,
    ...(event && { event }),
    traceparent: context.newTrace?.(traceparent) ?? traceparent,
    created: { spec, at, ms, prompt, warm },
    answers: {
      ok: successResponse(command, {
        worker_id,
        runtime,
        // The caller can describe the worker without reading it, unless it may have claimed a body.
        ...(!warm && { created_at: at }),
        ...(runtime_reason && { runtime_reason }),
        ...(warnings.length > 0 && { warnings }),
      }),
      conflict: failureResponse(command, taken),
      name_taken: failureResponse(command, named),
    },
  };
}

/**
 * The selected runtime and the reason, as a line of the worker's history; not written if the runtime was requested
 * explicitly.
 */
function runtimeChosenEvent(
  { runtime, reason }: PlacementDecision,
  timestamp: string,
): LifecycleEvent | undefined {
  if (reason === undefined) return undefined;
  const status = { status: 'STARTING', phase: 'accepted', reason: 'RuntimeChosen' } as const;
  const message = `It was assigned to the ${runtime} runtime. ${reason}`;
  return { timestamp, type: 'accepted', ...status, message, incarnation: 0, actions: [] };
}
