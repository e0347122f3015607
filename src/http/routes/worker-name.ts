import { Fault } from '../../model/index.ts';
import type { WorkerService } from '../workers/worker-service.ts';

/** The ID of the worker with that name; throws a Fault `not_found`. */
export async function resolveWorkerName(
  workers: Pick<WorkerService, 'findId'>,
  name: string,
): Promise<string> {
  const id = await workers.findId(name);
  if (id === undefined) throw new Fault('not_found', `No worker has the name ${name}.`);
  return id;
}
