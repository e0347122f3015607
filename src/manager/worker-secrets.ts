/** The secrets of workers: the operator's files, and the token of the worker itself. */
import type { Secrets } from '../config/secrets-dir.ts';
import { createWorkerToken, WORKER_TOKEN_SECRET } from '../http/access/worker-token.ts';

export interface WorkerSecrets extends Secrets {
  /** As `read`, for a worker, whose own token has the name WM_TOKEN. */
  readFor(workerId: string, names: readonly string[]): Promise<Record<string, string>>;
}

const withoutToken = (names: readonly string[]) => names.filter((name) => name !== WORKER_TOKEN_SECRET);

/** A file of that name is never delivered. */
export const withWorkerToken = (secrets: Secrets, apiToken: string): WorkerSecrets => ({
  read: (names) => secrets.read(names),
  missing: (names) => secrets.missing(withoutToken(names)),
  async readFor(workerId, names) {
    const files = await secrets.read(withoutToken(names));
    return names.includes(WORKER_TOKEN_SECRET)
      ? { ...files, [WORKER_TOKEN_SECRET]: createWorkerToken(apiToken, workerId) }
      : files;
  },
});
