import type { Redis } from 'ioredis';
import { kindOf } from '../src/agents/index.ts';
import type { Heartbeat } from '../src/model/heartbeat.ts';
import type { WorkerSpec } from '../src/model/spec.ts';
import { type Keys, keysOf } from '../src/store/keys.ts';
import { codeOf } from './agent.ts';
import { Backlog } from './backlog.ts';
import { CannotStart, makeReady, type Stage } from './boot.ts';
import { converse } from './converse.ts';
import { Denials } from './denials.ts';
import { Ending } from './ending.ts';
import { Handover } from './handover.ts';
import { InputReader } from './input.ts';
import { connectBlocking, connectCommands } from './link.ts';
import type { Log } from './log.ts';
import { MEMORY_BYTES, Output } from './output.ts';
import { Pulse } from './pulse.ts';
import { type Companion, Sender } from './sender.ts';
import type { Settings } from './settings.ts';
import { readStart } from './start.ts';
import type { Turns } from './turns.ts';
import type { Assigned } from './warm.ts';
import type { Surroundings, Work } from './work.ts';

/** How long the last output waits for a Redis that takes nothing, where the worker's own grace is shorter. */
const PATIENCE_MIN_MS = 5000;
const SIGTERM_CODE = 143;
/** What was answered is acknowledged within a round trip, once the last output has arrived. */
const SETTLE_MS = 1000;

/**
 * The life of one body, from its first look at Redis to its exit code: read the spec, start the agent, say `ready`,
 * carry prompts in and output out, and end when the agent ends or the body is told to.
 */
export async function live(first: Settings, firstLog: Log): Promise<number> {
  let [settings, log] = [first, firstLog];
  const keys = keysOf(settings.cell);
  const commands = connectCommands(settings.redisUrl, log);
  const told = new AbortController();
  let onSignal = () => told.abort();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => onSignal());

  const node = settings.external ? await nodeOf(settings, keys) : undefined;
  const asked = { redis: commands, keys, workerId: settings.workerId, log, signal: told.signal };
  let start = await readStart({ ...asked, spec: node?.spec });
  if (!start) {
    log.info('told to end before the agent was started');
    return SIGTERM_CODE;
  }
  let assigned: Assigned | undefined;
  if (start.spec.warm) {
    const { awaitAssignment } = await import('./warm.ts');
    assigned = await awaitAssignment({ settings, keys, commands, start, log, signal: told.signal });
    if (!assigned) {
      log.info('told to end before anybody took it over');
      return SIGTERM_CODE;
    }
    ({ settings, log, start } = assigned);
  }
  const { workerId, incarnation } = settings;
  const { spec, lastSeq, lastId } = start;
  const backlog = new Backlog({
    path: settings.spoolPath,
    memoryBytes: MEMORY_BYTES,
    diskBytes: settings.spoolBytes,
  });
  const sender = new Sender({ redis: commands, key: keys.output(workerId), log, lastSeq, lastId });
  const output = new Output({ backlog, incarnation, lastSeq, isAway: () => sender.away });
  const whose = { redis: commands, keys, workerId, incarnation, register: node?.beat };
  const pulse = assigned?.pulse ?? new Pulse({ ...whose, seq: () => lastSeq });
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
  let input: InputReader | undefined;
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
    stage = await makeReady({ settings, spec, denials, pulse, log, signal: told.signal });
    if (!stage) {
      log.info('told to end before the agent was started');
      return SIGTERM_CODE;
    }
    if (stage.kind.tasks) {
      const { workOnTasks } = await import('./tasks/work.ts');
      work = await workOnTasks({ around, stage, settings, log });
    } else if (stage.kind.turnless) {
      const handover = new Handover(around, stage.kind.dialogue({ workspace: settings.workspace }));
      await handover.start(stage.order(undefined));
      work = handover;
    } else {
      const all = { around, stage, settings, denials, redis: commands, keys, log, signal: told.signal };
      const conversing = await converse(all);
      turns = conversing.turns;
      work = conversing;
      if (spec.pool !== undefined && !spec.exit_after_prompt) {
        const { takePrompts } = await import('./tasks/prompts.ts');
        work = takePrompts({ work: conversing, around, settings, log });
      }
    }
  } catch (error) {
    const { code, sentence } = notStarted(error, spec);
    log.error(sentence);
    output.tell('exited', sentence, { exit_code: code, signal: null });
    sender.start(output, []);
    await flush(sender, PATIENCE_MIN_MS, () => Number.POSITIVE_INFINITY);
    await pulse.end();
    return code;
  }
  const { over, pid, about } = work;
  process.on('exit', () => work?.kill());
  output.onRoom = () => work?.resume();

  // Said before the input is opened: a second connection would only make the start slower.
  const ready = output.tell('ready', about?.sentence ?? 'The agent was started.', {
    ...{ pid, ...limitsOf(stage, spec), ...about?.fields },
  });
  sender.start(output, pulse.ready(ready));
  const blocking = assigned?.blocking ?? connectBlocking(settings.redisUrl, log);
  input = new InputReader({ blocking, commands, key: keys.input(workerId), log });
  leaving = () => {
    input?.stop();
    void pulse.end();
  };
  onSignal = () => ending.begin('signal');
  if (told.signal.aborted) ending.begin('signal');
  void input.run((entry) => work?.handle(entry));

  const { exit, code, sentence, answered } = await over;
  leaving();
  await stage.gateway?.close();
  // Of an agent that was told to go, the entry says how it went; the body itself did as it was told.
  const exitCode = ending.why === 'shutdown' ? codeOf(exit) : code;
  output.tell('exited', sentence, { exit_code: exitCode, signal: exit.signal });
  const patience = Math.max(spec.stop_grace_seconds * 1000, PATIENCE_MIN_MS);
  const arrived = await flush(sender, patience, () => ending.hardAt);
  if (arrived && answered) await input.acknowledge(answered.id, answered.also);
  if (arrived) await Promise.race([work.settled(), pause(SETTLE_MS)]);
  else sayLost(sender, output, log);
  pulse.busy = false;
  await pulse.end();
  if (node) await say(commands, node.leave());
  ending.clear();
  backlog.remove();
  end(commands, blocking);
  return code;
}

/** A node that was started by hand brings its own spec, and registers itself instead of having a heartbeat. */
async function nodeOf(settings: Settings, keys: Keys) {
  const { Registration, externalSpec } = await import('./tasks/registration.ts');
  const registration = new Registration(keys, settings);
  return {
    spec: externalSpec(),
    beat: (beat: Heartbeat) => registration.beat(beat),
    leave: () => registration.leave(),
  };
}

async function say(redis: Redis, commands: Companion[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const [name, ...args] of commands) pipeline.call(name, ...args);
  // What is not said now is forgotten by itself.
  await pipeline.exec().catch(() => {});
}

/** What is said of `allowed_commands` where they are given: what holds the agent to them, and which are not there. */
function limitsOf({ hands }: Stage, spec: WorkerSpec): object {
  return spec.allowed_commands ? { enforcement: hands.enforcement, missing_commands: hands.missing } : {};
}

function notStarted(thrown: unknown, spec: WorkerSpec): { code: number; sentence: string } {
  if (thrown instanceof CannotStart) return { code: thrown.code, sentence: thrown.message };
  const error = thrown as NodeJS.ErrnoException;
  if (!error.syscall?.startsWith('spawn')) throw error;
  const program = spec.command_line?.[0] ?? kindOf(spec.agent_type).cli?.program;
  if (error.code === 'ENOENT') {
    const where = spec.command_line
      ? 'check command_line and the PATH of the image'
      : 'install it, or run it in an image';
    return { code: 127, sentence: `The program "${program}" was not found: ${where}.` };
  }
  return { code: 126, sentence: `The program "${program}" could not be started: ${error.message}.` };
}

/** Waits until all output has arrived; false where Redis took nothing for so long, or time is up. */
async function flush(sender: Sender, patienceMs: number, hardAt: () => number): Promise<boolean> {
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

function sayLost(sender: Sender, output: Output, log: Log): void {
  const [sent, kept] = [sender.unsent(), output.unsent()];
  log.error('Redis was away to the end: the last output is lost', {
    lost_lines: sent.lines + kept.lines,
    lost_bytes: sent.bytes + kept.bytes,
  });
}

function end(...clients: Redis[]): void {
  for (const client of clients) client.disconnect();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
