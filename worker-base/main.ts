/**
 * The wrapper: the program inside every body, between Redis and the agent.
 *
 * It owns the body's output stream (its only writer), its end of the input group, the heartbeat, the agent's conversation
 * in Redis, the gateway to the model, and the processes of the agent. What must always hold: `seq` has no holes, and
 * a `gap` reports lost output; every turn that began has an end; memory is bounded however fast the agent writes
 * and however long Redis is away; no process of the agent outlives the wrapper's end; the agent never sees Redis's
 * address, nor the credentials of its model.
 *
 * Of the rest of the project it imports names, types and what is known of the agents: no zod, no logger, nothing that
 * makes a start slower. What only some bodies need (the gateway, the protocol SDK) is loaded by them alone.
 * This file is the only one that reads the environment.
 */
import { setFlagsFromString } from 'node:v8';
import { runWrapper } from './lifecycle.ts';
import { createLog, flushLog } from './log.ts';
import { readWrapperSettings, type WrapperSettings } from './settings.ts';

/** As sysexits.h: a setting is wrong; a defect of ours. */
const EX_CONFIG = 78;
const EX_SOFTWARE = 70;

// The young heap stays at its first size: output passes through in short-lived strings, and letting V8 grow the space
// for them trebles the memory (170 instead of 108 MiB at 50 MB/s) and isn't faster. Set here, because it acts at run
// time.
setFlagsFromString('--semi-space-growth-factor=1');

async function settingsOrExit(): Promise<WrapperSettings> {
  try {
    return readWrapperSettings(process.env);
  } catch (error) {
    const place = process.env.WORKER_INCARNATION ? undefined : ({ format: 'text', to: 'stdout' } as const);
    createLog('error', process.env.WORKER_ID ?? '', 0, place).error(
      error instanceof Error ? error.message : String(error),
    );
    await flushLog();
    process.exit(EX_CONFIG);
  }
}

async function exit(code: number): Promise<void> {
  await flushLog();
  process.exit(code);
}

// A direct body is started with its name behind the program, to be recognizable in `ps`.
const [, , title] = process.argv;
if (title) process.title = title;

const settings = await settingsOrExit();
const log = createLog(settings.logLevel, settings.workerId, settings.incarnation, {
  format: settings.logFormat,
  to: settings.external ? 'stdout' : 'stderr',
});
const fail = (thrown: unknown) => {
  log.error('wrapper failed; stopping its agent', {
    error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
  });
  void exit(EX_SOFTWARE);
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
if (process.pid === 1) {
  log.warn('wrapper is PID 1 and cannot reap orphans; start the container with an init (docker run --init)');
}
runWrapper(settings, log).then(exit, fail);
