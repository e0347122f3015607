import { encodeName } from '../check-values.ts';
import type { CheckpointTransport } from '../door-transports.ts';
import type { HttpRequester } from './request.ts';

const pathOf = (id: string, rest = '') => `/v1/checkpoints/${encodeName(id)}${rest}`;
const ofWorker = (id: string, rest: string) => `/v1/workers/${encodeName(id)}${rest}`;
/** A workspace of many gigabytes takes minutes. */
const SAVE_MS = 3_600_000;

export const createHttpCheckpoints = (requester: HttpRequester): CheckpointTransport => ({
  // Once: a repetition would take another one.
  createCheckpoint: (workerId, { timeoutMs = SAVE_MS, ...options }) =>
    requester.once({ method: 'POST', path: ofWorker(workerId, '/checkpoints') }, { ...options, timeoutMs }),
  listCheckpoints: (workerId, { limit, cursor, ...options }) =>
    requester.get(workerId === undefined ? '/v1/checkpoints' : ofWorker(workerId, '/checkpoints'), options, {
      limit,
      cursor,
    }),
  getCheckpoint: (id, options) => requester.get(pathOf(id), options),
  deleteCheckpoint: (id, options) => requester.change('DELETE', pathOf(id), options),
  async downloadCheckpoint(id, signal = new AbortController().signal) {
    return (await requester.open({ method: 'GET', path: pathOf(id, '/archive') }, signal)).body;
  },
  getChanges: (workerId, query, { timeoutMs = SAVE_MS, ...options }) =>
    requester.text(
      { method: 'GET', path: ofWorker(workerId, '/changes'), query: { ...query } },
      { ...options, timeoutMs },
    ),
});
