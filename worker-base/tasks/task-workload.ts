/**
 * The workload of a task worker: it takes tasks directly from its pool's queue to its slots, without the
 * manager.
 *
 * Invariants: a fetched task is either ended and reported, or goes to another worker; a worker that has to
 * end takes no new tasks and finishes running ones within its grace period; the output of a handler is stored
 * with the ID of its task. Only task workers load it, because it includes the queue's client.
 */
import type { Redis } from 'ioredis';
import { errorMessage } from '../../src/model/values/fault.ts';
import type { Keys } from '../../src/store/keys.ts';
import { openConsumer, openTasks } from '../../src/tasks/index.ts';
import type { Log } from '../log.ts';
import { OomWatch } from '../sandbox/oom-kills.ts';
import type { WrapperSettings } from '../settings.ts';
import type { ShutdownReason } from '../shutdown.ts';
import type { InputEntry } from '../streams/input.ts';
import {
  type AgentEnvironment,
  CannotStart,
  parseInput,
  rejectInput,
  type Workload,
  type WorkloadContext,
  type WorkloadResult,
} from '../workload.ts';
import { HandlerSlots } from './handlers/handler-slots.ts';
import { LoadMonitor } from './load-monitor.ts';
import { startNodeApi, toReachableUrl } from './node-api.ts';
import { NodeQueue } from './node-queue.ts';
import { TaskLog } from './task-log.ts';
import { createRunTask, Durations } from './task-runs.ts';
import { readTaskSettings, type TaskSettings, toReportedLimits } from './task-settings.ts';

/**
 * Time between SIGTERM and SIGKILL of a handler, within the body's remaining time after its own grace period.
 */
const GRACE_MS = 1000;
/** A queue responds within a round trip. */
const START_MS = 2000;
/** As sysexits.h: a setting is wrong; the handlers cannot be loaded. */
const EX_CONFIG = 78;
const EX_NOINPUT = 66;

/** Starts to take tasks; throws `CannotStart` if a setting is invalid or a handler file cannot be loaded. */
export async function startTaskWorkload(options: {
  context: WorkloadContext;
  environment: AgentEnvironment;
  settings: WrapperSettings;
  redis: Redis;
  keys: Keys;
  log: Log;
}): Promise<Workload> {
  const { context, environment, settings, log } = options;
  const { spec, output, heartbeat } = context;
  const own = readOwnSettings(settings, context);
  output.tag = 'task_id';
  const taskLog = new TaskLog(log, settings.external);
  const { cwd, env: variables } = environment.processOptions(undefined);
  // Functions log at the level of their worker, unless the pool's `env` sets another.
  const env = { LOG_LEVEL: settings.taskVariables.LOG_LEVEL || settings.logLevel, ...variables };
  const oom = new OomWatch();
  const slots: HandlerSlots = await HandlerSlots.start(own.slots, {
    handlers: own.handlers,
    cwd,
    env,
    wrap: environment.privileges.run,
    killMarked: environment.privileges.killMarked,
    outOfMemory: () => oom.happened(),
    graceMs: GRACE_MS,
    onOutput(stream, piece, taskId) {
      heartbeat.touch();
      output.write(stream, piece, taskId);
      taskLog.printed(stream, piece, taskId);
      if (output.full) slots?.pause();
    },
  }).catch((error: Error) => {
    throw new CannotStart(EX_NOINPUT, formatStartError(error));
  });

  const place = { redisUrl: settings.redisUrl, cell: settings.cell };
  const tasks = openTasks(place);
  const queue = tasks.queue(own.pool);
  const [durations, waits] = [new Durations(), new Durations()];
  const consumer = openConsumer({
    ...place,
    pool: own.pool,
    workerId: settings.workerId,
    incarnation: settings.incarnation,
    concurrency: own.slots,
    run: createRunTask({
      call: (call, hooks) => slots.call(call, hooks),
      commands: own.commands,
      maxSeconds: spec.max_job_time_seconds,
      durations,
      waits,
      log: taskLog,
      changed: () => meter.changed(),
    }),
    ...(own.timeoutSeconds !== undefined && { timeoutSeconds: own.timeoutSeconds }),
    onError: (message, fields) => log.warn(message, fields),
  });
  const meter = new LoadMonitor({
    own,
    consumer,
    queue,
    durations,
    waits,
    heartbeat,
    log,
    oomKills: () => oom.count,
  });

  const nodeQueue = new NodeQueue({
    redis: options.redis,
    key: options.keys.pools.record(own.pool),
    queueSize: own.queueSize,
    otherwise: own.queueSizeOtherwise,
    commands: own.commands,
    open: (rules) => tasks.queue(own.pool, rules),
  });

  let ending: ShutdownReason | undefined;
  let begun = false;
  const node =
    own.port === undefined
      ? undefined
      : await startNodeApi(
          { host: own.host, port: own.port, allowedHosts: own.allowedHosts, log },
          {
            queue: nodeQueue,
            durations,
            totals: () => consumer.totals(),
            activeTasks: () => meter.active,
            queueSize: () => meter.queueSize(),
            vitals: () => meter.vitals,
            cores: meter.cores,
            memoryBytes: meter.memoryBytes,
            status: () => (ending ? 'draining' : !begun ? 'starting' : consumer.paused ? 'paused' : 'ok'),
          },
        ).catch(async (error: unknown) => {
          await Promise.allSettled([slots.stop(), consumer.close(), tasks.close()]);
          throw new CannotStart(EX_CONFIG, errorMessage(error));
        });
  meter.url = node && toReachableUrl(node.url);

  const { promise: result, resolve: settle } = Promise.withResolvers<WorkloadResult>();
  let finishing = false;
  /** Returns running tasks to the queue, and ends all components. */
  const finish = async () => {
    if (finishing) return;
    finishing = true;
    const left = consumer.active().length;
    context.leaving();
    await attempt('the queue', consumer.close());
    await attempt('the handlers', slots.stop());
    meter.stop();
    if (options.redis.status === 'ready') await meter.report();
    await Promise.allSettled([tasks.close(), node?.close()]);
    const rest = left === 0 ? 'no task was running' : `${left} of its tasks were returned to the queue`;
    settle({ exit: { code: 0, signal: null }, code: 0, sentence: `The worker has ended; ${rest}.` });
  };
  const attempt = (what: string, act: Promise<unknown>) =>
    act.catch((error: unknown) =>
      log.warn(`${what} did not shut down cleanly`, { error: errorMessage(error) }),
    );

  const started = consumer
    .start()
    .then(() => {
      begun = true;
      meter.start();
    })
    .catch((error: unknown) => log.error('failed to take tasks', { error: errorMessage(error) }));
  const fields = { pool: own.pool, functions: slots.functions, node_url: meter.url, slots: own.slots };
  if (settings.external)
    log.info('node started', { worker_id: settings.workerId, ...fields, ...toReportedLimits(own) });
  // Ready means that it takes tasks; if Redis is away, that is reported when it is back.
  await Promise.race([started, new Promise((resolve) => setTimeout(resolve, START_MS).unref())]);
  return {
    pid: process.pid,
    about: {
      sentence: 'The worker is ready for tasks.',
      fields,
    },
    result,
    handle: (entry) => handleInput(entry, context),
    end(reason) {
      if (ending) return;
      ending = reason;
      meter.changed();
      if (settings.external) log.info('node stopping', { active_tasks: meter.active });
      void consumer.drain().then(finish);
    },
    kill: () => void finish(),
    resume: () => slots.resume(),
    settled: () => Promise.resolve(),
  };
}

function readOwnSettings(
  { taskVariables, external }: WrapperSettings,
  { spec }: WorkloadContext,
): TaskSettings {
  try {
    return readTaskSettings(taskVariables, spec, external);
  } catch (error) {
    throw new CannotStart(EX_CONFIG, errorMessage(error));
  }
}

/** Tasks come from the queue; the input is only used to end the worker. */
function handleInput(entry: InputEntry, context: WorkloadContext): void {
  const message = parseInput(entry, context);
  if (!message) return;
  if (message.type === 'shutdown') {
    void context.acknowledge(entry.id);
    context.end('shutdown');
    return;
  }
  const what = `A task worker does not accept ${message.type}: submit a task to its pool, or cancel one.`;
  rejectInput(entry.id, message.request_id, 'unsupported', what, context);
}

function formatStartError(error: Error & { traceback?: string | undefined }): string {
  return [error.message, error.traceback].filter(Boolean).join('\n');
}
