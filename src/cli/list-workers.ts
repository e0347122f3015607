import type { Summary } from '../model/record.ts';
import type { Context } from './context.ts';
import type { ManagerApi } from './deps.ts';
import { readManager, readManagerList } from './manager-api.ts';

/** All workers of the cell. */
export interface WorkerList {
  workers: Summary[];
  /** The cell, if no manager leads it. */
  unled?: string;
}

/**
 * Asks the manager of the cell. Reads Redis if none is known, none answers or it does not lead, unless the user named
 * the manager: Redis is another source then.
 */
export async function listWorkers({ deps, session }: Context): Promise<WorkerList> {
  const api = deps.api();
  if (api?.explicit) return { workers: (await askManager(api)).workers };
  if (api) {
    const answer = await askManager(api).catch(() => undefined);
    if (answer?.leads) return { workers: answer.workers };
  }
  const open = await session();
  const [workers, leader] = [await open.store.summaries(), await open.leader()];
  return leader ? { workers } : { workers, unled: open.settings.cell };
}

async function askManager(api: ManagerApi): Promise<{ workers: Summary[]; leads: boolean }> {
  const [workers, health] = await Promise.all([
    readManagerList<Summary>(api, '/v1/workers'),
    // 503 is also an answer.
    readManager<{ checks?: { leadership?: { message?: string } } }>(api, '/healthz', [200, 503]),
  ]);
  return { workers, leads: health.checks?.leadership?.message === 'leader' };
}
