/**
 * A worker that was given the body of a warm one: the body keeps the name and the labels of the one it was made for,
 * so this is what tells whose it is now. It stands in the hash `worker:bodies`, by the worker's id, from the `create`
 * until the worker is forgotten.
 */
export interface Takeover {
  /** Whose the body is. */
  worker_id: string;
  /** The warm worker that it was made for, and is named for. */
  made_for: string;
  /** The engine's id of it. */
  body_id: string;
  /** When it was taken over, in milliseconds since 1970. */
  at: number;
  /** Its wrapper was told. False as long as the body has to be given other limits first. */
  told: boolean;
}

/** A takeover, and what the store has heard of it since. */
export interface Taken extends Takeover {
  /** A wrapper has spoken for the worker: from then on the body is its own, whatever becomes of it. */
  begun: boolean;
  /** The worker's record is there. */
  known: boolean;
}

/** What a wrapper that serves another worker than its body was made for says of it, so that an empty store can learn it again. */
export interface Serving extends Pick<Takeover, 'worker_id' | 'at'> {
  /** The worker's spec, as its record had it. */
  spec: unknown;
}

/** The incarnation that a taken over body is: the worker's first. */
export const TAKEN_INCARNATION = 1;

/** A warm worker whose body can be taken over, as the last look saw it. */
export interface Candidate {
  worker_id: string;
  body_id: string;
  image?: string | undefined;
  ip_address?: string | undefined;
}

/**
 * The phase of a worker from the `create` that gave it a body which runs already, until its wrapper has spoken for it.
 * It is RUNNING: a body that was ready a moment ago is, and what is sent to the worker is read from its input.
 */
export const ASSIGNED = 'assigned';
