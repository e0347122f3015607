/**
 * The wrapper: the program inside every body, between Redis and the agent.
 *
 * It owns the body's output stream (as its only writer), its end of the input group, the heartbeat, the
 * agent's conversation in Redis, the gateway to the model, and the processes of the agent. Invariants: `seq`
 * has no holes, and a `gap` reports lost output; every turn that began has an end; memory is bounded however
 * fast the agent writes and however long Redis is away; no process of the agent outlives the wrapper; the
 * agent never sees the address of Redis or the credentials of its model.
 *
 * From the rest of the project it imports only names, types and the definitions of agents: no zod, no logger,
 * nothing that slows the start. Parts for some bodies only (the gateway, the protocol SDK) are loaded on
 * demand. This file is the only one that reads the environment.
 */
import { setFlagsFromString } from 'node:v8';
import { errorMessage } from '../src/model/values/fault.ts';
import { runWrapper } from './lifecycle.ts';
import { createLog, flushLog } from './log.ts';
import { isMissingPart } from './missing-part.ts';
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

// A direct body has its name as an argument, so that it is recognizable in `ps`.
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
process.on('unhandledRejection', (thrown) => {
  if (!isMissingPart(thrown)) return fail(thrown);
  log.error('a part of the wrapper is missing; its files were replaced', { error: errorMessage(thrown) });
});
if (process.pid === 1) {
  log.warn('wrapper is PID 1 and cannot reap orphans; start the container with an init (docker run --init)');
}
runWrapper(settings, log).then(exit, fail);
