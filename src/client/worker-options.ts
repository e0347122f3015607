/** Options of what is done with a worker. */
import type { ChangeOptions } from './request-options.ts';
import type { WaitCondition } from './types.ts';

export interface WaitOptions extends ChangeOptions {
  /** Returns only when the worker has reached this state. */
  wait?: WaitCondition | undefined;
  /** Time limit of the wait. */
  timeoutSeconds?: number | undefined;
}

export interface SendOptions extends ChangeOptions {
  /** Time limit for the agent; the turn then fails with the reason `deadline`. */
  deadlineSeconds?: number | undefined;
  /** Whether the turn is begun again if the body ends during it; otherwise it fails as `body_lost`. */
  retry?: boolean | undefined;
}

export interface ForkOptions extends WaitOptions {
  /** Instead of one that is taken now. */
  checkpoint?: string | undefined;
}
