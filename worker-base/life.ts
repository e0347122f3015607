import type { Redis } from 'ioredis';
import { keysOf } from '../src/store/keys.ts';
import { Agent, codeOf, type Exit } from './agent.ts';
import { Backlog } from './backlog.ts';
import { type Driver, driverOf } from './driver.ts';
import { Ending } from './ending.ts';
import { InputReader } from './input.ts';
import { connectBlocking, connectCommands } from './link.ts';
import type { Log } from './log.ts';
import { MEMORY_BYTES, Output } from './output.ts';
import { Pulse } from './pulse.ts';
import { Sender } from './sender.ts';
import type { Settings } from './settings.ts';
import { prepareWorkspace, readStart } from './start.ts';
import { Turns } from './turn.ts';

/** How long the last output waits for a Redis that takes nothing, where the worker's own grace is shorter. */
const PATIENCE_MIN_MS = 5000;
const SIGTERM_CODE = 143;

/**
 * The life of one body, from its first look at Redis to its exit code: read the spec, start the agent, say `ready`,
 * carry prompts in and output out, and end when the agent ends or the body is told to.
 */
export async function live(settings: Settings, log: Log): Promise<number> {
  const keys = keysOf(settings.cell);
  const { workerId, incarnation } = settings;
  const commands = connectCommands(settings.redisUrl, log);
  const told = new AbortController();
  let onSignal = () => told.abort();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => onSignal());

  const start = await readStart({ redis: commands, keys, workerId, log, signal: told.signal });
  if (!start) {
    log.info('told to end before the agent was started');
    return SIGTERM_CODE;
  }
  const { spec, lastSeq, lastId } = start;
  const backlog = new Backlog({
    path: settings.spoolPath,
    memoryBytes: MEMORY_BYTES,
    diskBytes: settings.spoolBytes,
  });
  const sender = new Sender({ redis: commands, key: keys.output(workerId), log, lastSeq, lastId });
  const output = new Output({ backlog, incarnation, lastSeq, isAway: () => sender.away });
  const pulse = new Pulse({ redis: commands, keys, workerId, incarnation, seq: () => sender.seq });

  let turns: Turns | undefined;
  const driver = driverOf(spec.agent_type);
  const agent = await startAgent(driver, settings, spec, (stream, piece) => {
    pulse.touch();
    output.write(stream, piece, turns?.requestId);
    turns?.hear(stream, piece);
    if (output.full && agent instanceof Agent) agent.pause();
  });
  if (!(agent instanceof Agent) || !driver) {
    const { code, sentence } = agent as NotStarted;
    log.error(sentence);
    output.tell('exited', sentence, { exit_code: code, signal: null });
    sender.start(output, []);
    await flush(sender, PATIENCE_MIN_MS, () => Number.POSITIVE_INFINITY);
    await pulse.end();
    return code;
  }
  process.on('exit', () => agent.kill());
  output.onRoom = () => agent.resume();

  // Said before the input is opened: a second connection would only make the start slower.
  const ready = output.tell('ready', 'The agent was started.', { pid: agent.pid });
  sender.start(output, pulse.ready(ready));
  const blocking = connectBlocking(settings.redisUrl, log);
  const input = new InputReader({ blocking, commands, key: keys.input(workerId), log });
  const ending = new Ending(spec.stop_grace_seconds, {
    end: () => {
      turns?.close();
      void pulse.end();
      agent.closeInput();
      agent.signal('SIGTERM');
    },
    kill: () => agent.kill(),
  });
  const acknowledge = (id: string) => input.acknowledge(id);
  const setBusy = (busy: boolean) => {
    pulse.busy = busy;
    pulse.touch();
  };
  turns = new Turns({ spec, driver, agent, output, acknowledge, end: (why) => ending.begin(why), setBusy });

  onSignal = () => ending.begin('signal');
  if (told.signal.aborted) ending.begin('signal');
  void input.run((entry) => turns.handle(entry));

  const exit = await agent.exited;
  turns.close();
  input.stop();
  void pulse.end();
  await agent.gather(() => ending.hardAt);
  const answered = turns.conclude(exit, ending.why);
  output.tell('exited', describe(exit), { exit_code: codeOf(exit), signal: exit.signal });
  const patience = Math.max(spec.stop_grace_seconds * 1000, PATIENCE_MIN_MS);
  const arrived = await flush(sender, patience, () => ending.hardAt);
  if (arrived && answered) await input.acknowledge(answered);
  if (!arrived) sayLost(sender, output, log);
  pulse.busy = false;
  await pulse.end();
  ending.clear();
  backlog.remove();
  end(commands, blocking);
  return ending.why === 'shutdown' ? 0 : codeOf(exit);
}

interface NotStarted {
  code: number;
  sentence: string;
}

async function startAgent(
  driver: Driver | undefined,
  settings: Settings,
  spec: Parameters<Driver['argv']>[0],
  onPiece: Parameters<typeof Agent.start>[0]['onPiece'],
): Promise<Agent | NotStarted> {
  if (!driver)
    return { code: 126, sentence: `This wrapper cannot run agents of type ${spec.agent_type} yet.` };
  const argv = driver.argv(spec);
  try {
    prepareWorkspace(settings.workspace, spec.instructions);
    return await Agent.start({
      argv,
      cwd: settings.workspace,
      env: { ...settings.inherited, ...spec.env },
      onPiece,
    });
  } catch (thrown) {
    const error = thrown as NodeJS.ErrnoException;
    if (error.syscall?.startsWith('spawn') && error.code === 'ENOENT') {
      const sentence = `The program "${argv[0]}" was not found: check command_line and the PATH of the image.`;
      return { code: 127, sentence };
    }
    const what = error.syscall?.startsWith('spawn')
      ? `The program "${argv[0]}" could not be started`
      : 'The workspace could not be prepared';
    return { code: 126, sentence: `${what}: ${error.message}.` };
  }
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

function describe({ code, signal }: Exit): string {
  return signal ? `The agent was ended by ${signal}.` : `The agent exited with code ${code}.`;
}

function end(...clients: Redis[]): void {
  for (const client of clients) client.disconnect();
}
