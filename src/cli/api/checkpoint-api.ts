/** Checkpoints over the manager's API, for the verbs. */
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { CheckpointDetails, CheckpointView } from '../../model/index.ts';
import { errorMessage, Fault } from '../../model/values/fault.ts';
import type { ManagerApi } from '../deps.ts';
import { matchPrefix } from '../worker-id.ts';
import { openRequest, toWorkerPath } from './door-api.ts';
import { readManagerList } from './manager-api.ts';

/** Sends a request, with a JSON body if there is one, and returns the JSON of the answer. */
export async function callApi<T>(api: ManagerApi, method: string, path: string, body?: object): Promise<T> {
  const headers = body && { 'content-type': 'application/json' };
  const { request, response } = openRequest(api, { method, path, ...(headers && { headers }) });
  request.end(body && JSON.stringify(body));
  return (await json(await response)) as T;
}

export const takeCheckpoint = (api: ManagerApi, workerPath: string): Promise<CheckpointView> =>
  callApi(api, 'POST', `${workerPath}/checkpoints`);

/** A checkpoint by its ID, or a unique prefix of one that exists. */
export async function findCheckpoint(api: ManagerApi, ref: string): Promise<CheckpointDetails> {
  const id = ref.replace(/^checkpoint\//, '').trim();
  const all = await readManagerList<CheckpointView>(api, '/v1/checkpoints?limit=1000');
  const found = matchPrefix(
    all.map(({ checkpoint_id }) => checkpoint_id),
    id,
  );
  if (found.length > 1)
    throw new Fault('conflict', `More than one checkpoint has the ID ${id}…; use a longer prefix.`);
  const [only] = found;
  if (only === undefined) throw new Fault('not_found', `No checkpoint has the ID ${id}.`);
  return callApi(api, 'GET', `/v1/checkpoints/${only}`);
}

/**
 * A checkpoint of what a user names: a checkpoint, a worker that runs, of which one is taken now (`taken`), or a worker that
 * has ended or was deleted, of which the newest one is used.
 */
export async function checkpointOf(
  api: ManagerApi,
  ref: string,
): Promise<{ checkpoint: CheckpointDetails; taken: boolean }> {
  if (ref.startsWith('checkpoint/')) return { checkpoint: await findCheckpoint(api, ref), taken: false };
  const path = await toWorkerPath(api, ref);
  let cause: unknown;
  try {
    const { checkpoint_id } = await takeCheckpoint(api, path);
    return { checkpoint: await callApi(api, 'GET', `/v1/checkpoints/${checkpoint_id}`), taken: true };
  } catch (error) {
    if (!(error instanceof Fault) || (error.code !== 'conflict' && error.code !== 'not_found')) throw error;
    cause = error;
  }
  const id = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  const all = await readManagerList<CheckpointView>(api, '/v1/checkpoints?limit=1000');
  const newest = all.find(({ worker_name }) => worker_name === id) ?? newestOfPrefix(all, id);
  if (newest)
    return {
      checkpoint: await callApi(api, 'GET', `/v1/checkpoints/${newest.checkpoint_id}`),
      taken: false,
    };
  const isCheckpoint = all.some(({ checkpoint_id }) => checkpoint_id.startsWith(id));
  if (/^[0-9a-f-]+$/.test(id) && isCheckpoint)
    return { checkpoint: await findCheckpoint(api, id), taken: false };
  throw cause;
}

/** The newest checkpoint of the only worker whose ID has that prefix; throws a Fault if several have. */
function newestOfPrefix(all: readonly CheckpointView[], prefix: string): CheckpointView | undefined {
  const [id, ...others] = matchPrefix([...new Set(all.map(({ worker_id }) => worker_id))], prefix);
  if (others.length > 0)
    throw new Fault(
      'conflict',
      `Checkpoints of more than one worker whose ID begins with ${prefix} are kept; use a longer prefix.`,
    );
  return all.find(({ worker_id }) => worker_id === id);
}

/** Reads a response with bytes to its end; throws a Fault if it is cut. */
export async function download(api: ManagerApi, path: string, ...to: NodeJS.WritableStream[]): Promise<void> {
  const { request, response } = openRequest(api, { method: 'GET', path });
  request.end();
  const answer: IncomingMessage = await response;
  try {
    await pipeline([answer, ...to] as [IncomingMessage, Writable]);
  } catch (cause) {
    throw new Fault('unavailable', `The download was cut: ${errorMessage(cause)}`, { cause });
  }
}
