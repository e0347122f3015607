import type { Actual } from './body.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { DesiredRecord, Memo, StatusRecord } from './record.ts';
import type { Vitals } from './vitals.ts';

/** Rules that the operator sets and the decision obeys; all in milliseconds. */
export interface Limits {
  /** First wait before a restart; doubled with each failure. */
  backoff_base_ms: number;
  backoff_max_ms: number;
  /** A body that ran so long clears the failures before it (kubelet: 10 minutes). */
  backoff_reset_ms: number;
  /** A heartbeat older than this is reported. */
  heartbeat_silent_ms: number;
  /** So long both signals of a hung body have to last, and so long a task may go on after its bound. */
  hung_ms: number;
}

/** What the engine said of the act that was tried last, and that cannot be seen by looking. */
export interface Refusal {
  /** `permanent`: the same try will fail again (no such image). `transient`: it may work later. */
  kind: 'permanent' | 'transient';
  reason: string;
  message: string;
}

/** The image that a body of this worker needs, as far as it is known. */
export type ImageState =
  /** It can be run: built, or none of ours (the runtime needs none, or the operator named one). */
  | { kind: 'ready'; name: string }
  /** It has to be built first. */
  | { kind: 'absent'; name: string }
  /** `step` is the builder's own line on what it does, such as `Step 3/12 : RUN apt-get …`. */
  | { kind: 'building'; name: string; step: string }
  /** The last build failed, or was refused for want of room; `at` is when, in milliseconds since 1970. */
  | { kind: 'failed'; name: string; at: number; reason: 'ImageBuildFailed' | 'Capacity'; message: string }
  /** The engine cannot be asked. */
  | { kind: 'unknown'; error: string };

/** One frozen look at a worker: everything that a decision may depend on. */
export interface Observation {
  worker_id: string;
  desired: DesiredRecord;
  status: StatusRecord | undefined;
  memo: Memo | undefined;
  actual: Actual;
  heartbeat: Heartbeat | undefined;
  refusal: Refusal | undefined;
  /** What the checks of this body have told so far; absent before the first. */
  vitals?: Vitals | undefined;
  /** Looked up only where a body has to be made and its runtime runs images that we build. */
  image?: ImageState | undefined;
  /** Why it must wait for its turn to start, with its place in the queue; absent if it may start. */
  queued?: string | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /** Since when this manager leads and the runtime answers: no deadline counts the time before. */
  watching_since: number;
  limits: Limits;
}

/** What is to be done to the world, in plain data. */
export type Intent =
  | { type: 'build'; image: string }
  | { type: 'create'; incarnation: number }
  | { type: 'start'; body_id: string }
  | { type: 'deliver'; body_id: string }
  | { type: 'terminate'; body_id: string }
  | { type: 'kill'; body_id: string }
  | { type: 'remove'; body_id: string }
  | { type: 'purge' };

/** The next status, what to do after it is recorded, and when to look again. */
export interface Decision {
  status: StatusRecord;
  memo: Memo;
  intents: Intent[];
  /** Milliseconds until time alone may change the decision; absent where it cannot. */
  requeue_after_ms: number | undefined;
  /** The rule that was applied, by its name in the machine. */
  rule: string;
}

/** The line that logs, tests, events and `explain` share. */
export function describe(intent: Intent): string {
  switch (intent.type) {
    case 'build':
      return `build image ${intent.image}`;
    case 'create':
      return `create body ${intent.incarnation}`;
    case 'start':
      return `start body ${short(intent.body_id)}`;
    case 'deliver':
      return `hand its secrets to body ${short(intent.body_id)}`;
    case 'terminate':
      return `send SIGTERM to body ${short(intent.body_id)}`;
    case 'kill':
      return `send SIGKILL to body ${short(intent.body_id)}`;
    case 'remove':
      return `remove body ${short(intent.body_id)}`;
    case 'purge':
      return 'forget the worker';
  }
}

const short = (id: string) => id.slice(0, 12);
