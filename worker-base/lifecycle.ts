/**
 * The lifecycle of one body, from its first read of Redis to its exit code: it boots, passes prompts in and
 * output out, and ends when the agent ends or the body is stopped.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { errorMessage } from '../src/model/values/fault.ts';
import { getKeys } from '../src/store/keys.ts';
import { getExitCode } from './agent/exit.ts';
import { AGENT_STEPS } from './boot/agent-steps.ts';
import { passToBody } from './boot/body-input.ts';
import { Boot, type BootStep, EX_CONFIG, runSteps } from './boot/boot.ts';
import { admitWorker, claimNodeName, openDoor, readRecord, waitForClaim } from './boot/identity-steps.ts';
import type { Log } from './log.ts';
import { toPartFault } from './missing-part.ts';
import type { WrapperSettings } from './settings.ts';
import { flush, PATIENCE_MIN_MS } from './streams/flush.ts';
import { InputReader } from './streams/input.ts';
import type { OutputQueue } from './streams/output-queue.ts';
import type { OutputSender } from './streams/output-sender.ts';
import { openBlockingConnection, openCommandConnection } from './streams/redis-connection.ts';

/** A workspace is measured for the first time when the body has run for this long. */
const MEASURE_AFTER_MS = 5000;

/** Handled prompts are acknowledged within a round trip, once the last output has arrived. */
const SETTLE_MS = 1000;

/** Opens the input; nothing is read from it yet. */
const openInput: BootStep = (boot) => {
  const { settings, log, commands, keys, start, heartbeat, assigned } = boot;
  const blocking = assigned?.blocking ?? openBlockingConnection(settings.redisUrl, log);
  const key = keys.input(settings.workerId);
  const input = new InputReader({ blocking, commands, key, log, passed: start.passed });
  heartbeat.passed = () => input.passed;
  input.onPassed = () => heartbeat.soon();
  boot.blocking = blocking;
  boot.input = input;
  return undefined;
};

/** From now on, reports the size of the workspace; a node that was started manually has a folder of its user. */
const measureFiles: BootStep = ({ settings, environment, heartbeat, node }) => {
  if (node) return undefined;
  // Loaded when it is first needed, so that the start is not slower.
  const begin = async () => {
    const { watchWorkspace } = await import('./boot/watch-workspace.ts');
    watchWorkspace({
      helperCommand: environment.privileges.helperCommand,
      workspace: settings.workspace,
      activeAt: () => heartbeat.activeAt,
      onSize: (bytes) => {
        heartbeat.workspaceBytes = bytes;
      },
    });
  };
  setTimeout(() => void begin(), MEASURE_AFTER_MS).unref();
  return undefined;
};

/** From now on, a signal shuts the workload down; an earlier signal does so now. */
const obeySignals: BootStep = ({ signal, shutdown, workload }) => {
  process.on('exit', () => workload.kill());
  signal.addEventListener('abort', () => shutdown.begin('signal'));
  if (signal.aborted) shutdown.begin('signal');
  return undefined;
};

/** The workload receives prompts from now on, and the body its own messages. */
const readInput: BootStep = (boot) => {
  const { input, workload } = boot;
  void input?.run((entry) => {
    if (!passToBody(boot, entry)) workload.handle(entry);
  });
  return undefined;
};

/** The whole boot, in order. */
const STEPS: readonly BootStep[] = [
  // Which worker this body is.
  claimNodeName,
  openDoor,
  readRecord,
  waitForClaim,
  admitWorker,
  // From its spec to an agent that is ready.
  ...AGENT_STEPS,
  // Prompts, and the end.
  openInput,
  obeySignals,
  readInput,
  measureFiles,
];

/** Runs a body to its end; returns its exit code. */
export async function runWrapper(settings: WrapperSettings, log: Log): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  const boot = new Boot({
    settings,
    log,
    keys: getKeys(settings.cell),
    commands: openCommandConnection(settings.redisUrl, log),
    signal: stop.signal,
    abort: () => stop.abort(),
  });
  boot.mark('node');
  const code = await runSteps(boot, STEPS);
  if (code === undefined) return finish(boot);
  await boot.node?.claim.drop(boot.commands);
  return code;
}

/** Waits for the end of the workload, and writes the remaining output; returns the exit code. */
async function finish(boot: Boot): Promise<number> {
  const { start, log, node, workload, environment, sender, output, spool, heartbeat, shutdown } = boot;
  const { exit, code, sentence, answered } = await workload.result;
  boot.stopInput();
  // Without this part, the files remain in the workspace, as without a manager.
  const offerCopy =
    boot.door && start.spec.checkpoint?.on.includes('stop')
      ? await import('./boot/offer-copy.ts').then(
          (part) => part.offerCopy,
          (error: unknown) =>
            log.warn('workspace is not copied', { error: errorMessage(toPartFault(error)) }),
        )
      : undefined;
  if (boot.door && offerCopy) {
    // The copy has the conversation of the only prompt, which is acknowledged later.
    if (answered?.storeConversation) {
      const transaction = boot.commands.multi();
      answered.storeConversation(transaction);
      await Promise.race([transaction.exec().catch(() => {}), delay(SETTLE_MS)]);
    }
    await offerCopy(boot.door, heartbeat, () => shutdown.hardAt);
  }
  boot.door?.close();
  await Promise.all(boot.closing.map((close) => close()));
  await environment.modelProxy?.close();
  // If the agent had to end, the entry has its exit; the body itself ended as requested.
  const exitCode = shutdown.reason === 'shutdown' ? getExitCode(exit) : code;
  output.emit('exited', sentence, { exit_code: exitCode, signal: exit.signal });
  const patience = Math.max(start.spec.stop_grace_seconds * 1000, PATIENCE_MIN_MS);
  const arrived = await flush(sender, patience, () => shutdown.hardAt);
  if (arrived && answered) await boot.input?.acknowledge(answered.id, answered.also);
  if (arrived) await Promise.race([workload.settled(), delay(SETTLE_MS)]);
  else reportLostOutput(sender, output, log);
  heartbeat.busy = false;
  await heartbeat.end();
  if (node) {
    await heartbeat.leave(node.leave());
    log.info('node stopped', { exit_code: node.claim.lost ? EX_CONFIG : code });
  }
  shutdown.clear();
  spool.remove();
  end(boot.commands, boot.blocking);
  return node?.claim.lost ? EX_CONFIG : code;
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
