/**
 * `serve --cleanup`: ends the direct bodies of a cell when their manager goes, as a supervisor of processes does.
 * SIGTERM to each, its own grace, then SIGKILL to whatever is left of it. Records stay as they are: the next manager
 * finds how each body has ended, and restarts whom its policy restarts. Without it, bodies stay and are adopted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Body, farewellMs, messageOf, workerSpec } from './model/index.ts';
import type { Runtime } from './runtimes/runtime.ts';

/** Between two looks at what still lives. */
const LOOK_MS = 50;
/** What SIGKILL does not end within this hangs in the kernel. */
const KILL_MS = 10_000;
/** The grace of a body whose spec cannot be read; as docker stop. */
const GRACE_SECONDS = 10;

/** Ends them all, and answers how many it ended. Throws nothing: what cannot be ended is told. */
export async function endDirectBodies(
  runtime: Pick<Runtime, 'list' | 'terminate' | 'kill'>,
  log: Logger,
): Promise<number> {
  try {
    const bodies = await living(runtime);
    if (bodies.length === 0) return 0;
    log.info({ bodies: bodies.length }, 'ending the direct workers (--cleanup)');
    await Promise.all(bodies.map(({ id }) => runtime.terminate(id)));
    const began = performance.now();
    const killAt = new Map(bodies.map((body) => [body.id, began + graceMs(body)]));
    const giveUpAt = Math.max(...killAt.values()) + KILL_MS;
    let left = bodies;
    while (left.length > 0 && performance.now() < giveUpAt) {
      await delay(LOOK_MS);
      left = (await living(runtime)).filter(({ id }) => killAt.has(id));
      const late = left.filter(({ id }) => performance.now() >= (killAt.get(id) ?? 0));
      await Promise.all(late.map(({ id }) => runtime.kill(id)));
    }
    if (left.length > 0)
      log.error({ worker_ids: left.map((one) => one.worker_id) }, 'these workers do not end');
    return bodies.length - left.length;
  } catch (error) {
    log.error({ why: messageOf(error) }, 'the direct workers could not be ended');
    return 0;
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
