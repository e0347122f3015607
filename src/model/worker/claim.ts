/**
 * A claim: a worker that was given a warm body. The body keeps the name and labels of the warm worker, so this record
 * says whose it is now. It is stored in the hash `worker:bodies`, by the worker's ID, from the `create` until the
 * worker's record is deleted.
 */
export interface Claim {
  /** The worker that owns the body. */
  worker_id: string;
  /** The warm worker that the body was created for and is named after. */
  made_for: string;
  /** The engine's ID of the body. */
  body_id: string;
  /** Time of the claim, in milliseconds since 1970. */
  at: number;
  /** Whether its wrapper was notified. False while the body's limits must be changed first. */
  told: boolean;
}

/** A claim, and what the store has recorded about it since. */
export interface ClaimedWorker extends Claim {
  /** A wrapper has reported for the worker; from then on the body is its own. */
  begun: boolean;
  /** The worker's record exists. */
  known: boolean;
}

/**
 * What a wrapper reports if it serves another worker than its body was created for, so that an empty store can restore
 * the claim.
 */
export interface ClaimRecord extends Pick<Claim, 'worker_id' | 'at'> {
  /** The worker's spec, from its record. */
  spec: unknown;
}

/** Incarnation of a claimed body: the worker's first. */
export const CLAIMED_INCARNATION = 1;

/** A warm worker whose body can be claimed, according to the last observation. */
export interface ClaimCandidate {
  worker_id: string;
  body_id: string;
  image?: string | undefined;
  ip_address?: string | undefined;
}

/**
 * The phase of a worker from the `create` that claimed a running body until the wrapper reports for it. Its status is
 * RUNNING, because the body was ready a moment ago, and messages to the worker are read from its input.
 */
export const ASSIGNED = 'assigned';
