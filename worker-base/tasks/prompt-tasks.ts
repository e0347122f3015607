/**
 * The workload of a pool's agent: in addition to its input, it takes prompts from its pool's queue, one task
 * per turn. All of them are turns of one conversation. Only such workers load it.
 */

import type { Redis } from 'ioredis';
import type { TurnEnd, TurnFailure } from '../../src/agents/dialogue.ts';
import { TaskError } from '../../src/model/task/task-error.ts';
import { errorMessage } from '../../src/model/values/fault.ts';
import type { RunningTask, TaskControls } from '../../src/tasks/consumer/consumer.ts';
import { openConsumer, openTasks } from '../../src/tasks/index.ts';
import type { Log } from '../log.ts';
import type { WrapperSettings } from '../settings.ts';
import type { ShutdownReason } from '../shutdown.ts';
import type { TurnRunner } from '../turns/turn-runner.ts';
import { CannotStart, type Workload, type WorkloadContext } from '../workload.ts';
import { LoadMonitor } from './load-monitor.ts';
import { Durations } from './task-runs.ts';
import { readTaskSettings } from './task-settings.ts';

const EX_CONFIG = 78;
/** Errors with which the same prompt would fail again. */
const FOR_GOOD: readonly TurnFailure[] = ['authentication', 'invalid_request', 'refused'];

/** Extends a workload with the prompts of the pool's queue. */
export function runPromptTasks(options: {
  workload: Workload & { turnRunner: TurnRunner };
  context: WorkloadContext;
  settings: WrapperSettings;
  redis: Redis;
  log: Log;
}): Workload {
  const { workload, context, settings, redis, log } = options;
  const { turnRunner } = workload;
  const own = attempt(() => readTaskSettings(settings.taskVariables, context.spec, false));
  const place = { redisUrl: settings.redisUrl, cell: settings.cell };
  const tasks = openTasks(place);
  const [durations, waits] = [new Durations(), new Durations()];
  const consumer = openConsumer({
    ...place,
    pool: own.pool,
    workerId: settings.workerId,
    incarnation: settings.incarnation,
    concurrency: 1,
    run: (task, controls) => {
      waits.addWait(task);
      return durations.measure(runPrompt(turnRunner, task, controls, context.spec.max_job_time_seconds));
    },
    ...(own.timeoutSeconds !== undefined && { timeoutSeconds: own.timeoutSeconds }),
    onError: (message, fields) => log.warn(message, fields),
  });
  const queue = tasks.queue(own.pool);
  const meter = new LoadMonitor({
    own: { ...own, slots: 1 },
    consumer,
    queue,
    durations,
    waits,
    heartbeat: context.heartbeat,
    log,
  });
  // An agent that may never become ready must not take a task.
  void turnRunner.handshake
    .then(() => consumer.start())
    .then(() => meter.start())
    .catch((error: unknown) => log.error('failed to take tasks', { error: errorMessage(error) }));

  let ending = false;
  const close = async () => {
    meter.stop();
    await consumer
      .close()
      .catch((error: unknown) => log.warn('queue did not shut down cleanly', { error: errorMessage(error) }));
    if (redis.status === 'ready') await meter.report();
    await tasks.close();
  };
  return {
    pid: workload.pid,
    result: workload.result.then(async (result) => {
      await close();
      return result;
    }),
    handle: (entry) => workload.handle(entry),
    end(reason: ShutdownReason) {
      if (ending) return;
      ending = true;
      // The turn of a task may finish during the grace period; unhandled input entries stay pending as usual.
      void consumer.drain().then(() => workload.end(reason));
    },
    kill() {
      workload.end('signal');
      workload.kill();
    },
    resume: () => workload.resume(),
    settled: () => workload.settled(),
  };
}

async function runPrompt(
  turnRunner: TurnRunner,
  { task_id, payload }: RunningTask,
  { signal }: TaskControls,
  maxSeconds: number | undefined,
): Promise<unknown> {
  if (!('prompt' in payload)) {
    const message =
      'Functions and commands are for task workers; this worker is an agent and accepts {prompt}.';
    throw new TaskError({ type: 'Unsupported', message }, { retry: false });
  }
  const prompt = { content: payload.prompt, requestId: task_id, deadlineSeconds: maxSeconds };
  const end = await turnRunner.runPrompt(prompt, signal);
  if (!end.ok) throw toTaskError(end);
  const { result, usage, cost_usd } = end;
  return { result, ...(usage && { usage }), ...(cost_usd !== undefined && { cost_usd }) };
}

/** `rate_limited` as `RateLimited`: types of errors are spelled as classes. */
function toTaskError({ reason, message }: Extract<TurnEnd, { ok: false }>): TaskError {
  const type =
    reason === 'deadline'
      ? 'Timeout'
      : reason.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
  return new TaskError({ type, message }, { retry: !FOR_GOOD.includes(reason) });
}

function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new CannotStart(EX_CONFIG, errorMessage(error));
  }
}
