import { z } from 'zod';
import { RUNTIME_NAMES } from '../runtimes.ts';
import { workerSpec } from './spec.ts';
import { DESIRED_STATES, WORKER_STATUSES, type WorkerStatus } from './worker-states.ts';

/** The desired record, `worker:<id>`; only commands write it, and its spec never changes. */
export const desiredRecord = z.object({
  spec: workerSpec,
  desired: z.enum(DESIRED_STATES),
  /** Increases with every accepted change. */
  generation: z.number().int().positive(),
  /** Set by a restart: bodies with a lower incarnation are replaced. */
  min_incarnation: z.number().int().positive().optional(),
  /** ID of its workspace if that was created for another worker, whose warm body it claimed. */
  workspace: z.string().optional(),
  created_at: z.string(),
  /** The command that created it. */
  request_id: z.string(),
  /** The trace of its last `create`, `start` or `restart`, as a W3C traceparent. */
  traceparent: z.string().optional(),
});
export type DesiredRecord = z.infer<typeof desiredRecord>;

/** What the machine stores between reconciles; it can be lost without harm. */
export const memo = z.object({ machine_version: z.number(), value: z.unknown(), context: z.unknown() });
export type Memo = z.infer<typeof memo>;

/**
 * The observed status, `worker:<id>:status`; only the reconcile loop writes it, except for the first status of a worker
 * that claims a warm body.
 */
export const statusRecord = z.object({
  status: z.enum(WORKER_STATUSES),
  /** The detailed state, such as `queued`, `booting` or `backoff`. */
  phase: z.string(),
  /** One word for programs, such as `OOMKilled`; empty if there is nothing to report. */
  reason: z.string(),
  /** One sentence for people. */
  message: z.string(),
  incarnation: z.number().int(),
  restarts: z.number().int(),
  ip_address: z.string().optional(),
  /** For a running direct worker: the process ID of its supervisor, which is also its process group ID. */
  pid: z.number().int().optional(),
  exit_code: z.number().int().optional(),
  runtime: z.enum(RUNTIME_NAMES),
  body_id: z.string().optional(),
  image: z.string().optional(),
  observed_generation: z.number().int(),
  started_at: z.string().optional(),
  running_at: z.string().optional(),
  finished_at: z.string().optional(),
  next_retry_at: z.string().optional(),
});
export type StatusRecord = z.infer<typeof statusRecord>;

/** What the store has about one worker, read in one round trip. */
export interface WorkerRecord {
  id: string;
  desired: DesiredRecord;
  status: StatusRecord | undefined;
  memo: Memo | undefined;
  /** Increases with every status write; a write based on an older revision is refused. */
  revision: number;
}

/** An entry of a worker's history, `worker:<id>:events`. */
export interface LifecycleEvent {
  timestamp: string;
  type: string;
  status: WorkerStatus;
  phase: string;
  reason: string;
  message: string;
  incarnation: number;
  /** The manager's actions, in words. */
  actions: string[];
}

/** A worker, as `list` and `ps` show it. */
export interface Summary {
  worker_id: string;
  name: string | undefined;
  agent_type: string | undefined;
  runtime: string | undefined;
  labels: Record<string, string> | undefined;
  desired: string;
  status: string;
  phase: string;
  reason: string;
  /** Exit code of the last body that ended. */
  exit_code?: number;
  restarts: number;
  incarnation: number;
  created_at: string;
  /** A node that was started manually: the manager has no record of it and does not stop it. */
  external?: true;
  /** The pool whose queue it serves, for a worker that runs tasks. */
  pool?: string;
  /** URL of a task worker's node API. */
  node_url?: string;
}
