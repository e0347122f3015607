/**
 * `serve --cleanup`: stops the direct bodies of a cell when their manager shuts down, like a process supervisor. Each
 * gets SIGTERM, its own grace period, then SIGKILL. The manager leads until their records say how they ended, and does
 * not restart them; the next manager restarts those whose policy requires it. Without the option, bodies keep running
 * and are adopted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Body, errorMessage, farewellMs, getCapabilities, workerSpec } from '../model/index.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Store } from '../store/index.ts';

/** Interval between checks of the remaining bodies. */
const POLL_MS = 50;
/** A process that SIGKILL does not end within this time hangs in the kernel. */
const KILL_MS = 10_000;
/** The grace period of a body whose spec cannot be read; the same as docker stop. */
const GRACE_SECONDS = 10;

/** Timeout for the manager to record how they ended. */
const RECORD_MS = 5000;
/** Timeout for starts that are under way when the shutdown begins; a runtime that hangs does not prevent it. */
const STARTS_MS = 5000;

interface CleanupDeps {
  log: Logger;
  store: Pick<Store, 'load'>;
  /** Enqueues a worker for the manager. */
  enqueue: (workerId: string) => void;
}

/**
 * Stops the direct bodies of a manager that shuts down, while its term continues and records how they end; a standby
 * leaves them to the leader.
 */
export async function stopDirectWorkers(
  runtimes: readonly Runtime[],
  deps: Pick<CleanupDeps, 'log' | 'store'> & {
    term: { holdStarts(): Promise<void>; enqueue(workerId: string): void } | undefined;
    leads: boolean;
  },
): Promise<void> {
  const { log, store, term, leads } = deps;
  const direct = runtimes.find(({ name }) => getCapabilities(name).hasLocalBodies);
  if (!leads) return log.warn('not leading; direct workers keep running');
  // A body that starts after the list was read would be left.
  await Promise.race([term?.holdStarts(), delay(STARTS_MS, undefined, { ref: false })]);
  if (direct) await endDirectBodies(direct, { log, store, enqueue: (id) => term?.enqueue(id) });
}

/** Stops them all, and waits until their records say so. Never throws: errors are logged. */
async function endDirectBodies(
  runtime: Pick<Runtime, 'list' | 'terminate' | 'kill'>,
  { log, store, enqueue }: CleanupDeps,
): Promise<void> {
  try {
    const bodies = await living(runtime);
    if (bodies.length === 0) return;
    log.info({ bodies: bodies.length }, 'stopping direct workers');
    await Promise.all(bodies.map(({ id }) => runtime.terminate(id)));
    const began = performance.now();
    const killAt = new Map(bodies.map((body) => [body.id, began + graceMs(body)]));
    const giveUpAt = Math.max(...killAt.values()) + KILL_MS;
    let left = bodies;
    while (left.length > 0 && performance.now() < giveUpAt) {
      await delay(POLL_MS);
      left = (await living(runtime)).filter(({ id }) => killAt.has(id));
      const late = left.filter(({ id }) => performance.now() >= (killAt.get(id) ?? 0));
      await Promise.all(late.map(({ id }) => runtime.kill(id)));
    }
    if (left.length > 0) log.error({ worker_ids: left.map((one) => one.worker_id) }, 'workers did not end');
    const alive = new Set(left.map(({ id }) => id));
    await recorded(
      bodies.filter(({ id }) => !alive.has(id)),
      { store, enqueue },
    );
  } catch (error) {
    log.error({ why: errorMessage(error) }, 'failed to stop direct workers');
  }
}

/** Waits until no record of an ended body says that it runs or boots. */
async function recorded(bodies: Body[], { store, enqueue }: Omit<CleanupDeps, 'log'>): Promise<void> {
  const until = performance.now() + RECORD_MS;
  let left = bodies;
  for (;;) {
    for (const { worker_id } of left) enqueue(worker_id);
    const isRunning = async ({ id, worker_id }: Body) => {
      const status = (await store.load(worker_id))?.record.status;
      const runs = status?.status === 'RUNNING' || status?.phase === 'booting';
      return runs && status.body_id === id;
    };
    const running = await Promise.all(left.map(isRunning));
    left = left.filter((_, at) => running[at]);
    if (left.length === 0 || performance.now() >= until) return;
    await delay(POLL_MS);
  }
}

async function living(runtime: Pick<Runtime, 'list'>): Promise<Body[]> {
  return (await runtime.list()).filter(({ state }) => state === 'running');
}

function graceMs({ spec }: Body): number {
  try {
    const { stop_grace_seconds: grace } = workerSpec.parse(JSON.parse(spec));
    return grace * 1000 + farewellMs(grace);
  } catch {
    return GRACE_SECONDS * 1000 + farewellMs(GRACE_SECONDS);
  }
}
