/**
 * Work of a body that takes tasks: from its pool's queue straight into its slots, past the manager.
 *
 * What must always hold: what was taken is either ended and told, or goes to another worker; a worker that is told to
 * end takes nothing new and finishes what runs, as long as its grace lasts; what a handler prints reaches the output,
 * tagged with its task. Loaded by task workers alone, for it brings the queue's client.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../../src/model/fault.ts';
import type { Keys } from '../../src/store/keys.ts';
import { openConsumer, openTasks } from '../../src/tasks/index.ts';
import { CannotStart, type Stage } from '../boot/agent-environment.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { Why } from '../shutdown.ts';
import type { InputEntry } from '../streams/input.ts';
import { type Over, open, refuse, type Surroundings, type Work } from '../workload.ts';
import { Slots } from './handlers/slots.ts';
import { LoadMeter } from './load-monitor.ts';
import { reachable, startNode } from './node-api.ts';
import { FrontQueue } from './node-queue.ts';
import { OomWatch } from './oom-kills.ts';
import { TaskLog } from './task-log.ts';
import { Durations, runsOf } from './task-runs.ts';
import { limitsOf, readTaskSettings, type TaskSettings } from './task-settings.ts';

/** Between SIGTERM and SIGKILL of a handler; within what the body has left when its own grace is over. */
const GRACE_MS = 1000;
/** A queue answers within a round trip. */
const START_MS = 2000;
/** As sysexits.h: a setting is wrong; the handlers cannot be loaded. */
const EX_CONFIG = 78;
const EX_NOINPUT = 66;

/** Begins to take tasks; throws `CannotStart` where a setting is wrong or a handler file cannot be loaded. */
export async function workOnTasks(options: {
  around: Surroundings;
  stage: Stage;
  settings: Settings;
  redis: Redis;
  keys: Keys;
  log: Log;
}): Promise<Work> {
  const { around, stage, settings, log } = options;
  const { spec, output, pulse } = around;
  const own = readOwn(settings, around);
  output.tag = 'task_id';
  const taskLog = new TaskLog(log, settings.external);
  const { cwd, env: given } = stage.order(undefined);
  // Functions log as their worker does, unless the pool's `env` says otherwise.
  const env = { LOG_LEVEL: settings.taskVariables.LOG_LEVEL || settings.logLevel, ...given };
  const oom = new OomWatch();
  const slots: Slots = await Slots.start(own.slots, {
    ...{
      handlers: own.handlers,
      cwd,
      env,
      wrap: stage.hands.run,
      killMarked: stage.hands.killMarked,
      outOfMemory: () => oom.happened(),
      graceMs: GRACE_MS,
    },
    onOutput(stream, piece, taskId) {
      pulse.touch();
      output.write(stream, piece, taskId);
      taskLog.printed(stream, piece, taskId);
      if (output.full) slots?.pause();
    },
  }).catch((error: Error) => {
    throw new CannotStart(EX_NOINPUT, sentenceOf(error));
  });

  const place = { redisUrl: settings.redisUrl, cell: settings.cell };
  const tasks = openTasks(place);
  const queue = tasks.queue(own.pool);
  const durations = new Durations();
  const consumer = openConsumer({
    ...{ ...place, pool: own.pool, workerId: settings.workerId, incarnation: settings.incarnation },
    concurrency: own.slots,
    run: runsOf({
      call: (call, hooks) => slots.call(call, hooks),
      commands: own.commands,
      maxSeconds: spec.max_job_time_seconds,
      durations,
      log: taskLog,
      changed: () => meter.changed(),
    }),
    ...(own.timeoutSeconds !== undefined && { timeoutSeconds: own.timeoutSeconds }),
    onTrouble: (message, fields) => log.warn(message, fields),
  });
  const meter = new LoadMeter({
    ...{ own, consumer, queue, durations, pulse, log },
    oomKills: () => oom.count,
  });

  const front = new FrontQueue({
    ...{ redis: options.redis, key: options.keys.pools.record(own.pool) },
    ...{ queueSize: own.queueSize, otherwise: own.queueSizeOtherwise, commands: own.commands },
    open: (rules) => tasks.queue(own.pool, rules),
  });

  let ending: Why | undefined;
  let begun = false;
  const node =
    own.port === undefined
      ? undefined
      : await startNode(
          { host: own.host, port: own.port, allowedHosts: own.allowedHosts, log },
          {
            ...{ queue: front, durations, totals: () => consumer.totals(), activeTasks: () => meter.active },
            ...{ queueSize: () => meter.queueSize(), vitals: () => meter.vitals, slots: own.slots },
            ...{ cores: meter.cores, memoryBytes: meter.memoryBytes },
            status: () => (ending ? 'draining' : !begun ? 'starting' : consumer.paused ? 'paused' : 'ok'),
          },
        ).catch(async (error: unknown) => {
          await Promise.allSettled([slots.stop(), consumer.close(), tasks.close()]);
          throw new CannotStart(EX_CONFIG, messageOf(error));
        });
  meter.url = node && reachable(node.url);

  let settle: (over: Over) => void = () => {};
  const over = new Promise<Over>((resolve) => {
    settle = resolve;
  });
  let finishing = false;
  /** Gives back what still runs, and ends all that is ours. */
  const finish = async () => {
    if (finishing) return;
    finishing = true;
    const left = consumer.active().length;
    around.leaving();
    await attempt('the queue', consumer.close());
    await attempt('the handlers', slots.stop());
    meter.stop();
    if (options.redis.status === 'ready') await meter.tell();
    await Promise.allSettled([tasks.close(), node?.close()]);
    const rest = left === 0 ? 'no task was running' : `${left} of its tasks were returned to the queue`;
    settle({ exit: { code: 0, signal: null }, code: 0, sentence: `The worker has ended; ${rest}.` });
  };
  const attempt = (what: string, act: Promise<unknown>) =>
    act.catch((error: unknown) => log.warn(`${what} did not shut down cleanly`, { error: messageOf(error) }));

  const started = consumer
    .start()
    .then(() => {
      begun = true;
      meter.start();
    })
    .catch((error: unknown) => log.error('failed to take tasks', { error: messageOf(error) }));
  const fields = { pool: own.pool, functions: slots.functions, node_url: meter.url, slots: own.slots };
  if (settings.external)
    log.info('node started', { worker_id: settings.workerId, ...fields, ...limitsOf(own) });
  // Ready is who takes tasks; where Redis has just gone, that is told when it is back.
  await Promise.race([started, new Promise((resolve) => setTimeout(resolve, START_MS).unref())]);
  return {
    pid: process.pid,
    about: {
      sentence: 'The worker is ready for tasks.',
      fields,
    },
    over,
    handle: (entry) => heed(entry, around),
    end(why) {
      if (ending) return;
      ending = why;
      meter.changed();
      if (settings.external) log.info('node stopping', { active_tasks: meter.active });
      void consumer.drain().then(finish);
    },
    kill: () => void finish(),
    resume: () => slots.resume(),
    settled: () => Promise.resolve(),
  };
}

function readOwn({ taskVariables, external }: Settings, { spec }: Surroundings): TaskSettings {
  try {
    return readTaskSettings(taskVariables, spec, external);
  } catch (error) {
    throw new CannotStart(EX_CONFIG, messageOf(error));
  }
}

/** Tasks come through the queue; the input is for telling the worker to end. */
function heed(entry: InputEntry, around: Surroundings): void {
  const message = open(entry, around);
  if (!message) return;
  if (message.type === 'shutdown') {
    void around.acknowledge(entry.id);
    around.end('shutdown');
    return;
  }
  const what = `A task worker does not accept ${message.type}: submit a task to its pool, or cancel one.`;
  refuse(entry.id, message.request_id, 'unsupported', what, around);
}

function sentenceOf(error: Error & { traceback?: string | undefined }): string {
  return [error.message, error.traceback].filter(Boolean).join('\n');
}
