/**
 * Work of an agent of a pool: beside what its input says, it takes prompts from its pool's queue, one task a turn. All of
 * them are turns of one conversation. Loaded by such workers alone.
 */

import type { Redis } from 'ioredis';
import type { TurnEnd, TurnFailure } from '../../src/agents/dialogue.ts';
import { messageOf } from '../../src/model/fault.ts';
import { TaskError } from '../../src/model/task-error.ts';
import type { RunningTask, TaskHands } from '../../src/tasks/consumer.ts';
import { openConsumer, openTasks } from '../../src/tasks/index.ts';
import { CannotStart } from '../boot/agent-environment.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { Why } from '../shutdown.ts';
import type { Turns } from '../turns/turn-runner.ts';
import type { Surroundings, Work } from '../workload.ts';
import { LoadMeter } from './load-monitor.ts';
import { Durations } from './task-runs.ts';
import { readTaskSettings } from './task-settings.ts';

const EX_CONFIG = 78;
/** The same prompt would fail just so. */
const FOR_GOOD: readonly TurnFailure[] = ['authentication', 'invalid_request', 'refused'];

/** The same work, with the prompts of the pool's queue. */
export function takePrompts(options: {
  work: Work & { turns: Turns };
  around: Surroundings;
  settings: Settings;
  redis: Redis;
  log: Log;
}): Work {
  const { work, around, settings, redis, log } = options;
  const { turns } = work;
  const own = attempt(() => readTaskSettings(settings.taskVariables, around.spec, false));
  const place = { redisUrl: settings.redisUrl, cell: settings.cell };
  const tasks = openTasks(place);
  const durations = new Durations();
  const consumer = openConsumer({
    ...{ ...place, pool: own.pool, workerId: settings.workerId, incarnation: settings.incarnation },
    concurrency: 1,
    run: (task, hands) => durations.of(answer(turns, task, hands, around.spec.max_job_time_seconds)),
    ...(own.timeoutSeconds !== undefined && { timeoutSeconds: own.timeoutSeconds }),
    onTrouble: (message, fields) => log.warn(message, fields),
  });
  const queue = tasks.queue(own.pool);
  const meter = new LoadMeter({
    ...{ own: { ...own, slots: 1 }, consumer, queue, durations, pulse: around.pulse, log },
  });
  // A task is not taken by an agent that may never come to talk.
  void turns.handshake
    .then(() => consumer.start())
    .then(() => meter.start())
    .catch((error: unknown) => log.error('failed to take tasks', { error: messageOf(error) }));

  let ending = false;
  const close = async () => {
    meter.stop();
    await consumer
      .close()
      .catch((error: unknown) => log.warn('queue did not shut down cleanly', { error: messageOf(error) }));
    if (redis.status === 'ready') await meter.tell();
    await tasks.close();
  };
  return {
    pid: work.pid,
    over: work.over.then(async (over) => {
      await close();
      return over;
    }),
    handle: (entry) => work.handle(entry),
    end(why: Why) {
      if (ending) return;
      ending = true;
      // The turn of a task is finished as long as the grace lasts; of the input, what is not answered is left as ever.
      void consumer.drain().then(() => work.end(why));
    },
    kill() {
      work.end('signal');
      work.kill();
    },
    resume: () => work.resume(),
    settled: () => work.settled(),
  };
}

async function answer(
  turns: Turns,
  { task_id, payload }: RunningTask,
  { signal }: TaskHands,
  maxSeconds: number | undefined,
): Promise<unknown> {
  if (!('prompt' in payload)) {
    const message =
      'Functions and commands are for task workers; this worker is an agent and accepts {prompt}.';
    throw new TaskError({ type: 'Unsupported', message }, { retry: false });
  }
  const asked = { content: payload.prompt, requestId: task_id, deadlineSeconds: maxSeconds };
  const end = await turns.ask(asked, signal);
  if (!end.ok) throw failureOf(end);
  const { result, usage, cost_usd } = end;
  return { result, ...(usage && { usage }), ...(cost_usd !== undefined && { cost_usd }) };
}

/** `rate_limited` as `RateLimited`: types of errors are spelled as classes. */
function failureOf({ reason, message }: Extract<TurnEnd, { ok: false }>): TaskError {
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
    throw new CannotStart(EX_CONFIG, messageOf(error));
  }
}
