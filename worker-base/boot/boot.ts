/**
 * From a spec to an agent that is ready: the parts of a body, the agent's start, and the entry that says so. A warm body
 * does it twice: once for nobody, so that it is quick when somebody asks.
 */
import type { Redis } from 'ioredis';
import { kindOf } from '../../src/agents/index.ts';
import type { Heartbeat } from '../../src/model/heartbeat.ts';
import type { WorkerSpec } from '../../src/model/spec.ts';
import type { Keys } from '../../src/store/keys.ts';
import type { Log } from '../log.ts';
import { Denials } from '../sandbox/denials.ts';
import { whyNotFound } from '../sandbox/executable.ts';
import type { Settings } from '../settings.ts';
import { Ending } from '../shutdown.ts';
import { Pulse } from '../streams/heartbeat.ts';
import type { InputReader } from '../streams/input.ts';
import { MEMORY_BYTES } from '../streams/limits.ts';
import { Output } from '../streams/output-queue.ts';
import { type Companion, Sender } from '../streams/output-sender.ts';
import { Backlog } from '../streams/spool.ts';
import { Handover } from '../turns/plain-workload.ts';
import { converse } from '../turns/start-turns.ts';
import type { Turns } from '../turns/turn-runner.ts';
import type { Surroundings, Work } from '../workload.ts';
import { CannotStart, makeReady, type Stage } from './agent-environment.ts';
import type { Start } from './initial-state.ts';

/** How long the last output waits for a Redis that takes nothing, where the worker's own grace is shorter. */
export const PATIENCE_MIN_MS = 5000;
export const SIGTERM_CODE = 143;

/** A body whose agent runs, and all that it is made of. */
export interface Brought {
  work: Work;
  stage: Stage;
  sender: Sender;
  output: Output;
  backlog: Backlog;
  pulse: Pulse;
  ending: Ending;
  /** What is to be acknowledged goes to that input from now on; `leaving` is called when no more is taken. */
  attach(input: Pick<InputReader, 'acknowledge'>, leaving: () => void): void;
}

/** Brings it up, or answers the exit code of a body that cannot be, which is told. */
export async function bringUp(options: {
  settings: Settings;
  log: Log;
  start: Start;
  commands: Redis;
  keys: Keys;
  /** Ends the wait for what the agent needs. */
  signal: AbortSignal;
  /** Beats already. */
  pulse?: Pulse | undefined;
  register?: ((beat: Heartbeat) => Companion[]) | undefined;
  /** What is done to the stage before the agent is started from it. */
  staged?: (stage: Stage) => Stage;
}): Promise<Brought | number> {
  const { settings, log, start, commands, keys, signal, register, staged = (stage) => stage } = options;
  const { workerId, incarnation } = settings;
  const { spec, lastSeq, lastId } = start;
  const backlog = new Backlog({
    path: settings.spoolPath,
    memoryBytes: MEMORY_BYTES,
    diskBytes: settings.spoolBytes,
  });
  const sender = new Sender({ redis: commands, key: keys.output(workerId), log, lastSeq, lastId });
  const output = new Output({ backlog, incarnation, lastSeq, isAway: () => sender.away });
  const whose = { redis: commands, keys, workerId, incarnation, register };
  const pulse = options.pulse ?? new Pulse({ ...whose, seq: () => lastSeq });
  pulse.follow(() => sender.seq);

  let turns: Turns | undefined;
  const denials = new Denials({ allowed: spec.allowed_commands, tell: (event) => turns?.tell(event) });
  let work: Work | undefined;
  let leaving = () => {};
  const ending = new Ending(spec.stop_grace_seconds, {
    end: (why) => {
      void pulse.end();
      work?.end(why);
    },
    kill: () => work?.kill(),
  });
  let input: Pick<InputReader, 'acknowledge'> | undefined;
  const around: Surroundings = {
    spec,
    output,
    pulse,
    acknowledge: async (id, also) => input?.acknowledge(id, also),
    arrived: (seq) => sender.arrived(seq),
    end: (why) => ending.begin(why),
    leaving: () => leaving(),
    hardAt: () => ending.hardAt,
  };
  let stage: Stage | undefined;
  try {
    const ready = await makeReady({ settings, spec, denials, pulse, log, signal });
    if (!ready) {
      log.info('shutdown requested before the agent was started');
      return SIGTERM_CODE;
    }
    stage = staged(ready);
    if (stage.kind.tasks) {
      const { workOnTasks } = await import('../tasks/task-workload.ts');
      work = await workOnTasks({ around, stage, settings, redis: commands, keys, log });
    } else if (stage.kind.turnless) {
      const handover = new Handover(around, stage.kind.dialogue({ workspace: settings.workspace }));
      await handover.start(stage.order(undefined));
      work = handover;
    } else {
      const conversing = await converse({
        around,
        stage,
        settings,
        denials,
        redis: commands,
        keys,
        log,
        signal,
      });
      turns = conversing.turns;
      work = conversing;
      if (spec.pool !== undefined && !spec.exit_after_prompt) {
        const { takePrompts } = await import('../tasks/prompt-tasks.ts');
        work = takePrompts({ work: conversing, around, settings, redis: commands, log });
      }
    }
  } catch (error) {
    const { code, sentence } = notStarted(error, spec, settings);
    log.error(sentence);
    output.tell('exited', sentence, { exit_code: code, signal: null });
    sender.start(output, []);
    await flush(sender, PATIENCE_MIN_MS, () => Number.POSITIVE_INFINITY);
    await pulse.end();
    return code;
  }
  const { pid, about } = work;
  output.onRoom = () => work?.resume();
  // Said before the input is opened: a second connection would only make the start slower.
  const ready = output.tell('ready', about?.sentence ?? 'The agent was started.', {
    ...{ pid, ...limitsOf(stage, spec), ...about?.fields },
  });
  sender.start(output, pulse.ready(ready));
  return {
    ...{ work, stage, sender, output, backlog, pulse, ending },
    attach: (reader, whenLeaving) => {
      input = reader;
      leaving = whenLeaving;
    },
  };
}

/** What is said of `allowed_commands` where they are given: what holds the agent to them, and which are not there. */
function limitsOf({ hands }: Stage, spec: WorkerSpec): object {
  return spec.allowed_commands ? { enforcement: hands.enforcement, missing_commands: hands.missing } : {};
}

function notStarted(
  thrown: unknown,
  spec: WorkerSpec,
  { workspace, inherited }: Settings,
): { code: number; sentence: string } {
  if (thrown instanceof CannotStart) return { code: thrown.code, sentence: thrown.message };
  const error = thrown as NodeJS.ErrnoException;
  if (!error.syscall?.startsWith('spawn')) throw error;
  const program = spec.command_line?.[0] ?? kindOf(spec.agent_type).cli?.program;
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
export async function flush(sender: Sender, patienceMs: number, hardAt: () => number): Promise<boolean> {
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
