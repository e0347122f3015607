/**
 * The steps from a worker's spec to an agent that is ready. A warm body runs them in advance, with a program
 * that ends immediately, so that the agent of the worker that claims it starts quickly.
 */
import { getAgentKind } from '../../src/agents/index.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import { START_COMMIT } from '../../src/store/keys.ts';
import { Denials } from '../sandbox/denials.ts';
import { whyNotFound, whyScriptFails } from '../sandbox/executable.ts';
import type { WrapperSettings } from '../settings.ts';
import { Shutdown } from '../shutdown.ts';
import { flush, PATIENCE_MIN_MS } from '../streams/flush.ts';
import { HeartbeatSender } from '../streams/heartbeat.ts';
import { MEMORY_BYTES } from '../streams/limits.ts';
import { OutputQueue } from '../streams/output-queue.ts';
import { OutputSender } from '../streams/output-sender.ts';
import { Spool } from '../streams/spool.ts';
import { PlainWorkload } from '../turns/plain-workload.ts';
import { startTurns } from '../turns/start-turns.ts';
import { type AgentEnvironment, CannotStart, type WorkloadContext } from '../workload.ts';
import { prepareAgent } from './agent-environment.ts';
import { type Boot, type BootStep, SIGTERM_CODE } from './boot.ts';

/** The body can write from now on; its output waits in memory and in the spool until the sender is started. */
const openOutput: BootStep = (boot) => {
  boot.mark('record');
  const { settings, log, commands, keys, start } = boot;
  const { workerId, incarnation } = settings;
  const { lastSeq, lastId } = start;
  const spool = new Spool({
    path: settings.spoolPath,
    memoryBytes: MEMORY_BYTES,
    diskBytes: settings.spoolBytes,
  });
  const sender = new OutputSender({ redis: commands, key: keys.output(workerId), log, lastSeq, lastId });
  boot.spool = spool;
  boot.sender = sender;
  boot.output = new OutputQueue({ spool, incarnation, lastSeq, isAway: () => sender.away });
  return undefined;
};

/** A warm body that was claimed has a heartbeat already; it follows the new output. */
const startHeartbeat: BootStep = (boot) => {
  const { settings, commands, keys, start, sender, node, assigned } = boot;
  const { workerId, incarnation } = settings;
  const options = { redis: commands, keys, workerId, incarnation, register: node?.beat };
  boot.heartbeat = assigned?.heartbeat ?? new HeartbeatSender({ ...options, seq: () => start.lastSeq });
  boot.heartbeat.follow(() => sender.seq);
  return undefined;
};

/**
 * Ends the body on a signal or a shutdown: its workload stops, and is killed when the grace period is over.
 */
const prepareShutdown: BootStep = (boot) => {
  boot.shutdown = new Shutdown(boot.start.spec.stop_grace_seconds, {
    end: (reason) => {
      void boot.heartbeat.end();
      boot.workload?.end(reason);
    },
    kill: () => boot.workload?.kill(),
  });
  return undefined;
};

/** Everything that the agent needs before it can be started. */
const prepareEnvironment: BootStep = async (boot) => {
  const { settings, log, signal, heartbeat, door } = boot;
  const { spec } = boot.start;
  const denials = new Denials({
    allowed: spec.allowed_commands,
    tell: (event) => boot.turnRunner?.emit(event),
  });
  boot.denials = denials;
  const successor = settings.incarnation > 1 || boot.start.lastSeq > 0;
  const environment = await prepareAgent({
    settings,
    spec,
    denials,
    heartbeat,
    log,
    signal,
    successor,
    door,
  });
  if (!environment) {
    log.info('shutdown requested before the agent was started');
    return SIGTERM_CODE;
  }
  const { startCommit } = environment;
  // With it, changes are shown; they are shown since HEAD without.
  if (startCommit !== undefined)
    void boot.commands
      .hsetnx(boot.keys.conversation(settings.workerId), START_COMMIT, startCommit)
      .catch(() => {});
  boot.environment = boot.adaptEnvironment(environment);
  boot.door?.furnish(boot.environment);
  boot.mark('environment');
  return undefined;
};

/** Starts the agent, or the handlers of a task worker. */
const startWorkload: BootStep = async (boot) => {
  const { settings, environment, denials, commands: redis, keys, log, signal } = boot;
  const { kind } = environment;
  const context = createContext(boot);
  if (kind.tasks) {
    const { startTaskWorkload } = await import('../tasks/task-workload.ts');
    boot.workload = await startTaskWorkload({ context, environment, settings, redis, keys, log });
    return undefined;
  }
  if (kind.turnless) {
    const plain = new PlainWorkload(context, kind.dialogue({ workspace: settings.workspace }));
    const options = environment.processOptions(undefined);
    const [program = ''] = context.spec.command_line ?? [];
    const why = whyScriptFails(program, options.env.PATH ?? '', options.cwd);
    if (why) throw new CannotStart(127, `The program "${program}" could not be started: ${why}.`);
    await plain.start(options);
    boot.workload = plain;
    return undefined;
  }
  const workload = await startTurns({ context, environment, settings, denials, redis, keys, log, signal });
  boot.turnRunner = workload.turnRunner;
  boot.door?.showTurns(() => workload.settled());
  boot.workload = workload;
  if (context.spec.pool !== undefined && !context.spec.exit_after_prompt) {
    const { runPromptTasks } = await import('../tasks/prompt-tasks.ts');
    boot.workload = runPromptTasks({ workload, context, settings, redis, log });
  }
  return undefined;
};

/** Writes `ready` before the input is opened, because a second connection would only delay the start. */
const announceReady: BootStep = (boot) => {
  const { workload, environment, output, sender, heartbeat, start } = boot;
  const { pid, about } = workload;
  boot.mark('agent');
  // In a claimed body, the boot was that of the warm worker.
  if (!boot.assigned) heartbeat.boot = boot.describe();
  output.onRoom = () => workload.resume();
  const ready = output.emit('ready', about?.sentence ?? 'The agent was started.', {
    pid,
    ...describeLimits(environment, start.spec),
    ...describeResumed(environment),
    ...about?.fields,
  });
  sender.start(output, heartbeat.ready(ready));
  return undefined;
};

/** From a spec to an agent that is ready. */
export const AGENT_STEPS: readonly BootStep[] = [
  openOutput,
  startHeartbeat,
  prepareShutdown,
  reportFailure(prepareEnvironment),
  reportFailure(startWorkload),
  announceReady,
];

/** The body, as its workload sees it. */
function createContext(boot: Boot): WorkloadContext {
  const { start, output, heartbeat, sender, shutdown } = boot;
  return {
    spec: start.spec,
    output,
    heartbeat,
    acknowledge: async (id, also) => boot.input?.acknowledge(id, also),
    arrived: (seq) => sender.arrived(seq),
    end: (reason) => shutdown.begin(reason),
    leaving: () => boot.stopInput(),
    hardAt: () => shutdown.hardAt,
  };
}

/** Wraps a step: if the agent cannot be started, the boot ends with an entry `exited` that has the reason. */
function reportFailure(step: BootStep): BootStep {
  return async (boot) => {
    try {
      return await step(boot);
    } catch (error) {
      const { settings, log, start, output, sender, heartbeat } = boot;
      const { code, sentence } = notStarted(error, start.spec, settings);
      log.error(sentence);
      output.emit('exited', sentence, { exit_code: code, signal: null });
      sender.start(output, []);
      await flush(sender, PATIENCE_MIN_MS, () => Number.POSITIVE_INFINITY);
      if (error instanceof CannotStart) heartbeat.failure = error.reason;
      await heartbeat.end();
      return code;
    }
  };
}

/**
 * The fields about `allowed_commands`, if they are set: how they are enforced, and which ones are missing.
 */
function describeLimits({ privileges }: AgentEnvironment, spec: WorkerSpec): object {
  return spec.allowed_commands
    ? { enforcement: privileges.enforcement, missing_commands: privileges.missing }
    : {};
}

/** The fields about an earlier body of the worker. */
function describeResumed({ resumed }: AgentEnvironment): object {
  if (!resumed) return {};
  const { written_at } = resumed;
  return { resumed: true, ...(written_at !== undefined && { workspace_written_at: written_at }) };
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
    const where = spec.command_line ? 'check command_line and PATH' : 'install it, or run it in an image';
    return { code: 127, sentence: `The program "${program}" was not found: ${where}.` };
  }
  return { code: 126, sentence: `The program "${program}" could not be started: ${error.message}.` };
}
