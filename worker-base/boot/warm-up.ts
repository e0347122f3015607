/**
 * Runs the start of an agent three times before a warm body waits, so that modules are loaded and code is compiled
 * by the time a worker claims the body. The agent is a program that ends immediately, in temporary folders,
 * with a Redis client that accepts every command and does nothing. Without the warm-up, a claimed worker
 * takes 50 % longer to be ready.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { Keys } from '../../src/store/keys.ts';
import type { Log } from '../log.ts';
import type { WrapperSettings } from '../settings.ts';
import type { AgentEnvironment } from '../workload.ts';
import { AGENT_STEPS } from './agent-steps.ts';
import { Boot, runSteps } from './boot.ts';
import type { StartState } from './initial-state.ts';

/** V8 compiles well only what has run several times; see docs/decisions/0035. */
const TIMES = 3;
const LONGEST_MS = 10_000;

export async function warmUp(options: {
  settings: WrapperSettings;
  start: StartState;
  keys: Keys;
  log: Log;
}): Promise<void> {
  const { settings, start, keys, log } = options;
  const place = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  try {
    for (let time = 0; time < TIMES; time += 1) {
      const stop = new AbortController();
      const boot = new Boot({
        settings: {
          ...settings,
          workspace: join(place, 'workspace'),
          agentHome: join(place, 'home'),
          spoolPath: join(place, 'spool'),
        },
        commands: createNullRedis(),
        keys,
        log: QUIET,
        signal: stop.signal,
        abort: () => stop.abort(),
      });
      boot.start = { spec: createWarmUpSpec(start.spec), lastSeq: 0, lastId: undefined };
      boot.adaptEnvironment = withShortProgram;
      const code = await runSteps(boot, AGENT_STEPS);
      if (code !== undefined) throw new Error(`it ended with ${code}`);
      const late = setTimeout(() => boot.workload.kill(), LONGEST_MS);
      await boot.workload.result;
      clearTimeout(late);
      boot.heartbeat.stop();
      boot.shutdown.clear();
      await boot.environment.modelProxy?.close();
    }
  } catch (error) {
    // A worker that claims the body reports its own start.
    log.warn('warm-up failed', { error: error instanceof Error ? error.message : String(error) });
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** The environment has nothing of a real worker: no secrets, and only an address without a server. */
function createWarmUpSpec({ agent_type, runtime, protocol, allowed_commands }: WorkerSpec): WorkerSpec {
  const custom = agent_type === 'CUSTOM' ? { command_line: ['true'] } : {};
  return {
    agent_type,
    runtime,
    ...custom,
    ...(protocol && { protocol }),
    ...(allowed_commands && { allowed_commands }),
    instructions: 'This is a warm-up run.',
    restart_policy: 'never',
    stop_grace_seconds: 1,
    start_deadline_seconds: 60,
    keep_finished_seconds: 0,
  };
}

/** The agent's program stays where it is. */
function withShortProgram(environment: AgentEnvironment): AgentEnvironment {
  return {
    ...environment,
    processOptions: (session) => ({
      ...environment.processOptions(session),
      argv: environment.privileges.helperCommand(['true']),
    }),
  };
}

const QUIET: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A Redis client that accepts every command, and returns nothing. */
function createNullRedis(): Redis {
  const pipeline: unknown = new Proxy(
    {},
    { get: (_, name) => (name === 'exec' ? async () => [] : name === 'then' ? undefined : () => pipeline) },
  );
  const answers: Record<string, unknown> = {
    status: 'ready',
    on: () => {},
    once: () => {},
    pipeline: () => pipeline,
    multi: () => pipeline,
    hgetallBuffer: async () => ({}),
  };
  return new Proxy({}, { get: (_, name) => answers[String(name)] ?? (async () => null) }) as Redis;
}
