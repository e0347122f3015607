import type { Redis } from 'ioredis';
import type { Heartbeat } from '../src/model/heartbeat.ts';
import { type Keys, keysOf } from '../src/store/keys.ts';
import { codeOf } from './agent/exit.ts';
import type { Assigned } from './boot/await-claim.ts';
import { bringUp, flush, PATIENCE_MIN_MS, SIGTERM_CODE } from './boot/boot.ts';
import { readStart } from './boot/initial-state.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';
import { InputReader } from './streams/input.ts';
import type { Output } from './streams/output-queue.ts';
import type { Sender } from './streams/output-sender.ts';
import { connectBlocking, connectCommands } from './streams/redis-connection.ts';
import type { NodeClaim } from './tasks/node-claim.ts';

/** What was answered is acknowledged within a round trip, once the last output has arrived. */
const SETTLE_MS = 1000;
/** As sysexits.h: a setting is wrong. */
const EX_CONFIG = 78;

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
  const refused = node && (await claimName(node.claim, commands, log, told.signal));
  if (refused !== undefined) return refused;
  node?.claim.keep(commands, (message) => {
    log.error(`${message} This node exits.`);
    onSignal();
  });
  const asked = { redis: commands, keys, workerId: settings.workerId, log, signal: told.signal };
  let start = await readStart({ ...asked, spec: node?.spec });
  if (!start) {
    log.info('shutdown requested before the agent was started');
    return SIGTERM_CODE;
  }
  let assigned: Assigned | undefined;
  if (start.spec.warm) {
    const { awaitAssignment } = await import('./boot/await-claim.ts');
    assigned = await awaitAssignment({ settings, keys, commands, start, log, signal: told.signal });
    if (!assigned) {
      log.info('shutdown requested before the worker was claimed');
      return SIGTERM_CODE;
    }
    ({ settings, log, start } = assigned);
  }
  const { spec } = start;
  const up = { settings, log, start, commands, keys, signal: told.signal };
  const brought = await bringUp({ ...up, pulse: assigned?.pulse, register: node?.beat });
  if (typeof brought === 'number') {
    await node?.claim.drop(commands);
    return brought;
  }
  const { work, stage, sender, output, backlog, pulse, ending, attach } = brought;
  process.on('exit', () => work.kill());
  const blocking = assigned?.blocking ?? connectBlocking(settings.redisUrl, log);
  const key = keys.input(settings.workerId);
  const input = new InputReader({ blocking, commands, key, log, passed: start.passed });
  pulse.passed = () => input.passed;
  input.onPassed = () => pulse.soon();
  const leaving = () => {
    input.stop();
    void pulse.end();
  };
  attach(input, leaving);
  onSignal = () => ending.begin('signal');
  if (told.signal.aborted) ending.begin('signal');
  void input.run((entry) => work.handle(entry));

  const { exit, code, sentence, answered } = await work.over;
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
  if (node) {
    await pulse.leave(node.leave());
    log.info('node stopped', { exit_code: node.claim.lost ? EX_CONFIG : code });
  }
  ending.clear();
  backlog.remove();
  end(commands, blocking);
  return node?.claim.lost ? EX_CONFIG : code;
}

/** Answers the exit code of a node that may not work under its name; undefined if it may. */
async function claimName(
  claim: NodeClaim,
  redis: Redis,
  log: Log,
  signal: AbortSignal,
): Promise<number | undefined> {
  const result = await claim.take(redis, signal, (seconds) =>
    log.warn('this WORKER_ID is still registered; waiting until it expires', { seconds }),
  );
  if (result.taken) return undefined;
  if (result.message === undefined) return SIGTERM_CODE;
  log.error(result.message);
  return EX_CONFIG;
}

/** A node that was started by hand brings its own spec, and registers itself instead of having a heartbeat. */
async function nodeOf(settings: Settings, keys: Keys) {
  const { Registration, externalSpec } = await import('./tasks/node-registration.ts');
  const registration = new Registration(keys, settings);
  return {
    spec: externalSpec(),
    claim: registration.claim,
    beat: (beat: Heartbeat) => registration.beat(beat),
    leave: () => registration.leave(),
  };
}

function sayLost(sender: Sender, output: Output, log: Log): void {
  const [sent, kept] = [sender.unsent(), output.unsent()];
  log.error('Redis connection was not restored; the last output is lost', {
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
