/**
 * The canary: every CANARY_SECONDS, the leader takes a tiny worker on each of its runtimes through its whole life, by the
 * way that users' workers take: a command on the stream, a prompt on its input, its output, a command in its body, a deletion. Each step is
 * timed; the first one that fails ends the run. One run of each runtime at a time.
 *
 * A worker whose manager is killed during a run ends by its `ttl_seconds`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DoorService } from '../http/doors/door-service.ts';
import { execInWorker } from '../http/doors/exec-in-worker.ts';
import type { WorkerService } from '../http/workers/worker-service.ts';
import { errorMessage, Fault, type Goal, type OutputMessage, type RuntimeName } from '../model/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Label of the worker of a canary. */
const CANARY_LABEL = 'worker-manager.canary';
/** A run that takes longer has failed: the longest time that an image may take to boot before people investigate. */
const RUN_MS = 300_000;
/** How long the end of the manager waits for the deletion of its workers. */
const END_MS = 500;
/** Writes one line that it reads, and waits for its end. */
const PROGRAM = ['sh', '-c', 'read -r line; echo "$line"; read -r line'];

export interface CanaryOptions {
  /** CANARY_SECONDS; `undefined` turns it off. */
  seconds: number | undefined;
  /** The runtimes that have answered. */
  runtimes: () => RuntimeName[];
  workers: Pick<WorkerService, 'sendCommand' | 'waitFor' | 'sendInput' | 'read'>;
  doors: Pick<DoorService, 'request'>;
  /** Whether this manager leads; others run none. */
  leads: () => boolean;
  metrics: Pick<Metrics, 'canaryRuns' | 'canaryFailing' | 'canaryDuration'>;
  log: Logger;
}

interface Run {
  worker_id: string;
  runtime: RuntimeName;
  workers: CanaryOptions['workers'];
  doors: CanaryOptions['doors'];
  signal: AbortSignal;
}

/** In the order in which they are taken. */
const STEPS: { name: string; act: (run: Run) => Promise<unknown> }[] = [
  { name: 'create', act: create },
  { name: 'ready', act: (run) => reach(run, 'ready') },
  { name: 'first_output', act: converse },
  { name: 'exec', act: execute },
  { name: 'deleted', act: remove },
];

/** Starts it, if it is on; the returned function ends it, and gives its workers' deletion a moment. */
export function startCanary(options: CanaryOptions): () => Promise<void> {
  const { seconds, runtimes, leads } = options;
  if (seconds === undefined) return async () => {};
  const end = new AbortController();
  const active = new Map<RuntimeName, Promise<void>>();
  const start = () => {
    if (!leads()) return;
    for (const runtime of runtimes()) {
      if (active.has(runtime)) continue;
      const run = takeThrough(runtime, options, end.signal).finally(() => active.delete(runtime));
      active.set(runtime, run);
    }
  };
  const timer = setInterval(start, seconds * 1000);
  return async () => {
    clearInterval(timer);
    end.abort();
    await Promise.race([Promise.all(active.values()), delay(END_MS, undefined, { ref: false })]);
  };
}

/** One run on one runtime; never throws. */
async function takeThrough(runtime: RuntimeName, options: CanaryOptions, ended: AbortSignal): Promise<void> {
  const { workers, doors, metrics, log, leads } = options;
  const signal = AbortSignal.any([ended, AbortSignal.timeout(RUN_MS)]);
  const run: Run = { worker_id: randomUUID(), runtime, workers, doors, signal };
  const began = performance.now();
  for (const { name: step, act } of STEPS) {
    try {
      await act(run);
    } catch (error) {
      if (step !== 'create') await requestDelete(run).catch(() => {});
      // Another manager has taken over, or this one shuts down, so the result does not count.
      if (ended.aborted || !leads()) return;
      const full = step === 'create' && error instanceof Fault && error.code === 'capacity';
      metrics.canaryRuns.inc(1, { runtime, result: full ? 'capacity' : step });
      if (!full) metrics.canaryFailing.set(1, { runtime });
      log.warn({ runtime, step, worker_id: run.worker_id, why: errorMessage(error) }, 'canary failed');
      return;
    }
    if (step !== 'create')
      metrics.canaryDuration.observe((performance.now() - began) / 1000, { runtime, step });
  }
  metrics.canaryRuns.inc(1, { runtime, result: 'ok' });
  metrics.canaryFailing.set(0, { runtime });
}

function create({ worker_id, runtime, workers }: Run): Promise<unknown> {
  const command = {
    command: 'create',
    worker_id,
    runtime,
    agent_type: 'CUSTOM',
    command_line: PROGRAM,
    labels: { [CANARY_LABEL]: 'true' },
    stop_grace_seconds: 1,
    ttl_seconds: (2 * RUN_MS) / 1000,
    keep_finished_seconds: 60,
  };
  return workers.sendCommand(command);
}

async function reach({ worker_id, workers, signal }: Run, goal: Goal): Promise<void> {
  const { outcome, observation } = await workers.waitFor(worker_id, goal, signal);
  if (outcome === 'reached') return;
  const { status = 'without a status', phase = '', reason = '', message = '' } = observation.status ?? {};
  const state = [status, phase && `(${phase})`, reason, message].filter(Boolean).join(' ');
  throw new Error(outcome === 'late' ? `It is still ${state}.` : `It is ${state}`);
}

/** Sends it a line, and waits until its output has that line. */
async function converse({ worker_id, workers, signal }: Run): Promise<void> {
  const content = `canary ${worker_id}`;
  const sent = await workers.sendInput(worker_id, { message: { type: 'prompt', content }, key: undefined });
  if (sent.outcome !== 'sent') throw new Error(`Its input does not accept a prompt (${sent.outcome}).`);
  const output = workers.read({ worker_id, of: 'output' }, { from: '0', follow: true, signal });
  for await (const entries of output) for (const { data } of entries) if (isLine(data, content)) return;
  throw new Error('It has written nothing.');
}

function isLine(data: string, content: string): boolean {
  const { type, content: text } = JSON.parse(data) as Partial<OutputMessage>;
  return type === 'stdout' && text?.includes(content) === true;
}

/** Runs a command in its body. */
async function execute({ worker_id, doors, signal }: Run): Promise<void> {
  const shell = `printf %s ${worker_id}`;
  const { exit_code, stdout, error = '' } = await execInWorker(doors, worker_id, { shell }, { signal });
  if (exit_code !== 0 || stdout !== worker_id)
    throw new Error(`A command in it ended with ${exit_code}. ${error}`.trim());
}

async function remove(run: Run): Promise<void> {
  await requestDelete(run);
  await reach(run, 'deleted');
}

function requestDelete({ worker_id, workers }: Run): Promise<unknown> {
  const command = { command: 'delete', worker_id, reason: 'The canary is over.' };
  return workers.sendCommand(command);
}
