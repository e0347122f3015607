import type { Actual } from './body.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { DesiredRecord, Memo, StatusRecord } from './record.ts';
import type { Vitals } from './vitals.ts';

/** Limits that the operator sets and the decision uses; all in milliseconds. */
export interface Limits {
  /** First delay before a restart; doubles with each failure. */
  backoff_base_ms: number;
  backoff_max_ms: number;
  /** A body that ran at least this long resets the count of failures (kubelet: 10 minutes). */
  backoff_reset_ms: number;
  /** A heartbeat older than this is reported. */
  heartbeat_silent_ms: number;
  /** How long both signals of a hung body must last, and how long a task may exceed its time limit. */
  hung_ms: number;
}

/** The engine's error of the last attempted action, which an observation cannot show. */
export interface ActionError {
  /** `permanent`: another attempt would fail as well (no such image). `transient`: another attempt may succeed. */
  kind: 'permanent' | 'transient';
  reason: string;
  message: string;
}

/** The image that a body of this worker needs, as far as it is known. */
export type ImageState =
  /** It can be run: it has been built, or no build is needed (the runtime uses no images, or the operator named one). */
  | { kind: 'ready'; name: string }
  /** It must be built first. */
  | { kind: 'absent'; name: string }
  /** `step` is the builder's own output line, such as `Step 3/12 : RUN apt-get …`. */
  | { kind: 'building'; name: string; step: string }
  /** The last build failed, or was refused for lack of disk space; `at` is the time in milliseconds since 1970. */
  | { kind: 'failed'; name: string; at: number; reason: 'ImageBuildFailed' | 'Capacity'; message: string }
  /** The engine does not respond. */
  | { kind: 'unknown'; error: string };

/** A consistent snapshot of a worker: everything that a decision may depend on. */
export interface Observation {
  worker_id: string;
  desired: DesiredRecord;
  status: StatusRecord | undefined;
  memo: Memo | undefined;
  actual: Actual;
  heartbeat: Heartbeat | undefined;
  action_error: ActionError | undefined;
  /** Results of the health checks of this body; absent before the first check. */
  vitals?: Vitals | undefined;
  /** Set only if a body must be created and its runtime uses images that the manager builds. */
  image?: ImageState | undefined;
  /** Why the worker must wait before it starts, with its position in the queue; absent if it may start. */
  queued?: string | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /** Time since which this manager leads and the runtime responds; deadlines do not count time before it. */
  watching_since: number;
  limits: Limits;
}

/** An action to take, as plain data. */
export type Intent =
  | { type: 'build'; image: string }
  | { type: 'create'; incarnation: number }
  | { type: 'start'; body_id: string }
  | { type: 'deliver'; body_id: string }
  | { type: 'terminate'; body_id: string }
  | { type: 'kill'; body_id: string }
  | { type: 'remove'; body_id: string }
  | { type: 'purge' };

/** The next status, the actions to take after it is recorded, and the time of the next reconcile. */
export interface Decision {
  status: StatusRecord;
  memo: Memo;
  intents: Intent[];
  /** Milliseconds until the decision may change with time alone; absent if it cannot. */
  requeue_after_ms: number | undefined;
  /** Name of the machine's rule that was applied. */
  rule: string;
}

/** The line that logs, tests, events and `explain` share. */
export function describeIntent(intent: Intent): string {
  switch (intent.type) {
    case 'build':
      return `build image ${intent.image}`;
    case 'create':
      return `create body ${intent.incarnation}`;
    case 'start':
      return `start body ${short(intent.body_id)}`;
    case 'deliver':
      return `pass its secrets to body ${short(intent.body_id)}`;
    case 'terminate':
      return `send SIGTERM to body ${short(intent.body_id)}`;
    case 'kill':
      return `send SIGKILL to body ${short(intent.body_id)}`;
    case 'remove':
      return `remove body ${short(intent.body_id)}`;
    case 'purge':
      return 'delete the record';
  }
}

const short = (id: string) => id.slice(0, 12);
