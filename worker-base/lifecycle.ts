import type { Redis } from 'ioredis';
import type { Heartbeat } from '../src/model/heartbeat.ts';
import { getKeys, type Keys } from '../src/store/keys.ts';
import { getExitCode } from './agent/exit.ts';
import type { Assigned } from './boot/await-claim.ts';
import { bootWorker, flush, PATIENCE_MIN_MS, SIGTERM_CODE } from './boot/boot.ts';
import { readStartState } from './boot/initial-state.ts';
import type { Log } from './log.ts';
import type { WrapperSettings } from './settings.ts';
import { InputReader } from './streams/input.ts';
import type { OutputQueue } from './streams/output-queue.ts';
import type { OutputSender } from './streams/output-sender.ts';
import { openBlockingConnection, openCommandConnection } from './streams/redis-connection.ts';
import type { NodeClaim } from './tasks/node-claim.ts';

/** What was answered is acknowledged within a round trip, once the last output has arrived. */
const SETTLE_MS = 1000;
/** As sysexits.h: a setting is wrong. */
const EX_CONFIG = 78;

/**
 * The life of one body, from its first look at Redis to its exit code: read the spec, start the agent, say `ready`,
 * carry prompts in and output out, and end when the agent ends or the body has to end.
 */
export async function runWrapper(first: WrapperSettings, firstLog: Log): Promise<number> {
  let [settings, log] = [first, firstLog];
  const keys = getKeys(settings.cell);
  const commands = openCommandConnection(settings.redisUrl, log);
  const told = new AbortController();
  let onSignal = () => told.abort();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => onSignal());

  const node = settings.external ? await openNode(settings, keys) : undefined;
  const refused = node && (await claimNodeName(node.claim, commands, log, told.signal));
  if (refused !== undefined) return refused;
  node?.claim.keep(commands, (message) => {
    log.error(`${message} This node exits.`);
    onSignal();
  });
  const asked = { redis: commands, keys, workerId: settings.workerId, log, signal: told.signal };
  let start = await readStartState({ ...asked, spec: node?.spec });
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
  const brought = await bootWorker({ ...up, heartbeat: assigned?.heartbeat, register: node?.beat });
  if (typeof brought === 'number') {
    await node?.claim.drop(commands);
    return brought;
  }
  const { workload, environment, sender, output, spool, heartbeat, shutdown, attach } = brought;
  process.on('exit', () => workload.kill());
  const blocking = assigned?.blocking ?? openBlockingConnection(settings.redisUrl, log);
  const key = keys.input(settings.workerId);
  const input = new InputReader({ blocking, commands, key, log, passed: start.passed });
  heartbeat.passed = () => input.passed;
  input.onPassed = () => heartbeat.soon();
  const leaving = () => {
    input.stop();
    void heartbeat.end();
  };
  attach(input, leaving);
  onSignal = () => shutdown.begin('signal');
  if (told.signal.aborted) shutdown.begin('signal');
  void input.run((entry) => workload.handle(entry));

  const { exit, code, sentence, answered } = await workload.result;
  leaving();
  await environment.modelProxy?.close();
  // For an agent that had to end, the entry has its exit; the body itself ended as asked.
  const exitCode = shutdown.reason === 'shutdown' ? getExitCode(exit) : code;
  output.emit('exited', sentence, { exit_code: exitCode, signal: exit.signal });
  const patience = Math.max(spec.stop_grace_seconds * 1000, PATIENCE_MIN_MS);
  const arrived = await flush(sender, patience, () => shutdown.hardAt);
  if (arrived && answered) await input.acknowledge(answered.id, answered.also);
  if (arrived) await Promise.race([workload.settled(), pause(SETTLE_MS)]);
  else reportLostOutput(sender, output, log);
  heartbeat.busy = false;
  await heartbeat.end();
  if (node) {
    await heartbeat.leave(node.leave());
    log.info('node stopped', { exit_code: node.claim.lost ? EX_CONFIG : code });
  }
  shutdown.clear();
  spool.remove();
  end(commands, blocking);
  return node?.claim.lost ? EX_CONFIG : code;
}

/** Answers the exit code of a node that may not work under its name; undefined if it may. */
async function claimNodeName(
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
async function openNode(settings: WrapperSettings, keys: Keys) {
  const { Registration, externalSpec } = await import('./tasks/node-registration.ts');
  const registration = new Registration(keys, settings);
  return {
    spec: externalSpec(),
    claim: registration.claim,
    beat: (heartbeat: Heartbeat) => registration.beat(heartbeat),
    leave: () => registration.leave(),
  };
}

function reportLostOutput(sender: OutputSender, output: OutputQueue, log: Log): void {
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
