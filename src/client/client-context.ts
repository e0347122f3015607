import { checkNumber } from './check-values.ts';
import type { ReconnectPolicy } from './entries.ts';
import { ManagerError } from './errors.ts';
import { withPatience } from './retry.ts';
import type { Transport } from './transport.ts';
import type { WaitCondition, WorkerInfo } from './types.ts';

/** What every object of a client shares. */
export interface ClientContext {
  transport: Transport;
  policy: ReconnectPolicy;
}

/** Default time limit of a wait; an image may have to be built. */
const WAIT_SECONDS = 600;
/** The longest wait in one request, so that proxies don't cut it. */
const ONE_REQUEST_SECONDS = 25;

/** Waits in requests of limited length until the worker reaches the condition. */
export async function withWait(
  { transport, policy }: ClientContext,
  id: string,
  condition: WaitCondition,
  options: { timeoutSeconds?: number | undefined; signal?: AbortSignal | undefined },
): Promise<WorkerInfo> {
  const { timeoutSeconds = WAIT_SECONDS, signal } = options;
  checkNumber('timeoutSeconds', timeoutSeconds);
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    signal?.throwIfAborted();
    const left = Math.max(0, (deadline - performance.now()) / 1000);
    const last = left <= ONE_REQUEST_SECONDS;
    const seconds = last ? Math.max(left, 0.001) : ONE_REQUEST_SECONDS;
    try {
      const wait = () => transport.waitForWorker(id, condition, seconds, { signal });
      return await withPatience(wait, { seconds: policy.reconnectSeconds, deadline, signal });
    } catch (error) {
      if (last || !(error instanceof ManagerError && error.status === 504)) throw error;
    }
  }
}
