/**
 * From a spec to an agent that is ready: the parts of a body, the agent's start, and the entry that says so. A warm body
 * does it twice: once in advance, so that it is fast when claimed.
 */
import type { Redis } from 'ioredis';
import { getAgentKind } from '../../src/agents/index.ts';
import type { Heartbeat } from '../../src/model/heartbeat.ts';
import type { WorkerSpec } from '../../src/model/spec.ts';
import type { Keys } from '../../src/store/keys.ts';
import type { Log } from '../log.ts';
import { Denials } from '../sandbox/denials.ts';
import { whyNotFound } from '../sandbox/executable.ts';
import type { WrapperSettings } from '../settings.ts';
import { Shutdown } from '../shutdown.ts';
import { HeartbeatSender } from '../streams/heartbeat.ts';
import type { InputReader } from '../streams/input.ts';
import { MEMORY_BYTES } from '../streams/limits.ts';
import { OutputQueue } from '../streams/output-queue.ts';
import { type ExtraCommand, OutputSender } from '../streams/output-sender.ts';
import { Spool } from '../streams/spool.ts';
import { PlainWorkload } from '../turns/plain-workload.ts';
import { startTurns } from '../turns/start-turns.ts';
import type { TurnRunner } from '../turns/turn-runner.ts';
import type { Workload, WorkloadContext } from '../workload.ts';
import { type AgentEnvironment, CannotStart, prepareAgent } from './agent-environment.ts';
import type { StartState } from './initial-state.ts';

/** How long the last output waits for a Redis that takes nothing, where the worker's own grace is shorter. */
export const PATIENCE_MIN_MS = 5000;
export const SIGTERM_CODE = 143;

/** A body whose agent runs, and all that it is made of. */
export interface BootedWorker {
  workload: Workload;
  environment: AgentEnvironment;
  sender: OutputSender;
  output: OutputQueue;
  spool: Spool;
  heartbeat: HeartbeatSender;
  shutdown: Shutdown;
  /** What is to be acknowledged goes to that input from now on; `leaving` is called when no more is taken. */
  attach(input: Pick<InputReader, 'acknowledge'>, leaving: () => void): void;
}

/** Starts it, or reports that it cannot be started and returns the body's exit code. */
export async function bootWorker(options: {
  settings: WrapperSettings;
  log: Log;
  start: StartState;
  commands: Redis;
  keys: Keys;
  /** Ends the wait for what the agent needs. */
  signal: AbortSignal;
  /** Beats already. */
  heartbeat?: HeartbeatSender | undefined;
  register?: ((heartbeat: Heartbeat) => ExtraCommand[]) | undefined;
  /** What is done to the stage before the agent is started from it. */
  staged?: (environment: AgentEnvironment) => AgentEnvironment;
}): Promise<BootedWorker | number> {
  const {
    settings,
    log,
    start,
    commands,
    keys,
    signal,
    register,
    staged = (environment) => environment,
  } = options;
  const { workerId, incarnation } = settings;
  const { spec, lastSeq, lastId } = start;
  const spool = new Spool({
    path: settings.spoolPath,
    memoryBytes: MEMORY_BYTES,
    diskBytes: settings.spoolBytes,
  });
  const sender = new OutputSender({ redis: commands, key: keys.output(workerId), log, lastSeq, lastId });
  const output = new OutputQueue({ spool, incarnation, lastSeq, isAway: () => sender.away });
  const whose = { redis: commands, keys, workerId, incarnation, register };
  const heartbeat = options.heartbeat ?? new HeartbeatSender({ ...whose, seq: () => lastSeq });
  heartbeat.follow(() => sender.seq);

  let turnRunner: TurnRunner | undefined;
  const denials = new Denials({ allowed: spec.allowed_commands, tell: (event) => turnRunner?.emit(event) });
  let workload: Workload | undefined;
  let leaving = () => {};
  const shutdown = new Shutdown(spec.stop_grace_seconds, {
    end: (reason) => {
      void heartbeat.end();
      workload?.end(reason);
    },
    kill: () => workload?.kill(),
  });
  let input: Pick<InputReader, 'acknowledge'> | undefined;
  const context: WorkloadContext = {
    spec,
    output,
    heartbeat,
    acknowledge: async (id, also) => input?.acknowledge(id, also),
    arrived: (seq) => sender.arrived(seq),
    end: (reason) => shutdown.begin(reason),
    leaving: () => leaving(),
    hardAt: () => shutdown.hardAt,
  };
  let environment: AgentEnvironment | undefined;
  try {
    const ready = await prepareAgent({ settings, spec, denials, heartbeat, log, signal });
    if (!ready) {
      log.info('shutdown requested before the agent was started');
      return SIGTERM_CODE;
    }
    environment = staged(ready);
    if (environment.kind.tasks) {
      const { startTaskWorkload } = await import('../tasks/task-workload.ts');
      workload = await startTaskWorkload({ context, environment, settings, redis: commands, keys, log });
    } else if (environment.kind.turnless) {
      const handover = new PlainWorkload(
        context,
        environment.kind.dialogue({ workspace: settings.workspace }),
      );
      await handover.start(environment.processOptions(undefined));
      workload = handover;
    } else {
      const conversing = await startTurns({
        context,
        environment,
        settings,
        denials,
        redis: commands,
        keys,
        log,
        signal,
      });
      turnRunner = conversing.turnRunner;
      workload = conversing;
      if (spec.pool !== undefined && !spec.exit_after_prompt) {
        const { runPromptTasks } = await import('../tasks/prompt-tasks.ts');
        workload = runPromptTasks({ workload: conversing, context, settings, redis: commands, log });
      }
    }
  } catch (error) {
    const { code, sentence } = notStarted(error, spec, settings);
    log.error(sentence);
    output.emit('exited', sentence, { exit_code: code, signal: null });
    sender.start(output, []);
    await flush(sender, PATIENCE_MIN_MS, () => Number.POSITIVE_INFINITY);
    await heartbeat.end();
    return code;
  }
  const { pid, about } = workload;
  output.onRoom = () => workload?.resume();
  // Said before the input is opened: a second connection would only make the start slower.
  const ready = output.emit('ready', about?.sentence ?? 'The agent was started.', {
    pid,
    ...describeLimits(environment, spec),
    ...about?.fields,
  });
  sender.start(output, heartbeat.ready(ready));
  return {
    workload,
    environment,
    sender,
    output,
    spool,
    heartbeat,
    shutdown,
    attach: (reader, whenLeaving) => {
      input = reader;
      leaving = whenLeaving;
    },
  };
}

/** What is said of `allowed_commands` where they are given: what holds the agent to them, and which are not there. */
function describeLimits({ privileges }: AgentEnvironment, spec: WorkerSpec): object {
  return spec.allowed_commands
    ? { enforcement: privileges.enforcement, missing_commands: privileges.missing }
    : {};
}

function notStarted(
  thrown: unknown,
  spec: WorkerSpec,
  { workspace, inherited }: WrapperSettings,
): { code: number; sentence: string } {
  if (thrown instanceof CannotStart) return { code: thrown.code, sentence: thrown.message };
  const error = thrown as NodeJS.ErrnoException;
  if (!error.syscall?.startsWith('spawn')) throw error;
  const program = spec.command_line?.[0] ?? getAgentKind(spec.agent_type).cli?.program;
  if (error.code === 'ENOENT') {
    const path = spec.env?.PATH ?? inherited.PATH ?? '';
    const why = program === undefined ? undefined : whyNotFound(program, path, workspace);
    if (why) return { code: 127, sentence: `The program "${program}" could not be started: ${why}.` };
    const where = spec.command_line
      ? 'check command_line and the PATH of the image'
      : 'install it, or run it in an image';
    return { code: 127, sentence: `The program "${program}" was not found: ${where}.` };
  }
  return { code: 126, sentence: `The program "${program}" could not be started: ${error.message}.` };
}

/** Waits until all output has arrived; false where Redis took nothing for so long, or time is up. */
export async function flush(
  sender: OutputSender,
  patienceMs: number,
  hardAt: () => number,
): Promise<boolean> {
  const since = performance.now();
  while (!sender.idle) {
    const now = performance.now();
    if (now > hardAt() || now - Math.max(since, sender.progressAt) > patienceMs) return false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 50);
      sender.onProgress = () => {
        clearTimeout(timer);
        setImmediate(resolve);
      };
    });
  }
  return true;
}
