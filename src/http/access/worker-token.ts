/**
 * The token with which a worker itself may call the manager: its ID, and a proof that a manager with the same API token has
 * issued it. Nothing is stored, so the token is valid on every manager of the cell and after a restart; it ends with its
 * worker, because the routes that accept it look at the worker's record.
 *
 * Must not import any other folder, because the wrapper bundles `access.ts`.
 */
import { createHmac, scryptSync, timingSafeEqual } from 'node:crypto';

/** The name among a worker's `secrets` that stands for its token. */
export const WORKER_TOKEN_SECRET = 'WM_TOKEN';
/** The only path on which it is accepted. */
export const WORKER_TOKEN_PATH = '/mcp';
const FORMAT = /^wmw_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
/** Makes guesses at a short API token from the token of a worker expensive. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 };

/** Keys by API token; a process has one. */
const keys = new Map<string, Buffer>();

function toKey(apiToken: string): Buffer {
  let key = keys.get(apiToken);
  if (!key) {
    key = scryptSync(apiToken, 'worker-manager worker token', 32, COST);
    keys.clear();
    keys.set(apiToken, key);
  }
  return key;
}

const prove = (apiToken: string, workerId: string) =>
  createHmac('sha256', toKey(apiToken)).update(workerId).digest('base64url');

/** The token of a worker. */
export const createWorkerToken = (apiToken: string, workerId: string): string =>
  `wmw_${workerId}_${prove(apiToken, workerId)}`;

/** The ID of the worker whose token this is; undefined if it is not a worker's, or not one of this manager. */
export function readWorkerToken(apiToken: string, text: string): string | undefined {
  const [, workerId, proof] = FORMAT.exec(text) ?? [];
  if (workerId === undefined || proof === undefined) return undefined;
  return timingSafeEqual(Buffer.from(proof), Buffer.from(prove(apiToken, workerId))) ? workerId : undefined;
}
