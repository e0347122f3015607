import { z } from 'zod';
import { RUNTIME_NAMES, workerSpec } from './spec.ts';

export const WORKER_STATUSES = ['STARTING', 'RUNNING', 'STOPPED', 'FAILED'] as const;
/** Whether a worker of that status has ended for good; one that waits for its restart is STARTING. */
export const hasEnded = (status: string | undefined): boolean => status === 'STOPPED' || status === 'FAILED';
export type WorkerStatus = (typeof WORKER_STATUSES)[number];
export const DESIRED_STATES = ['running', 'stopped', 'deleted'] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];

/** The desired record, `worker:<id>`: only commands write it, and only `desired` and `generation` ever change. */
export const desiredRecord = z.object({
  spec: workerSpec,
  desired: z.enum(DESIRED_STATES),
  /** Rises with every accepted change. */
  generation: z.number().int().positive(),
  created_at: z.string(),
  /** The command that created it. */
  request_id: z.string(),
});
export type DesiredRecord = z.infer<typeof desiredRecord>;

/** What the machine remembers between passes: a memo, which may be lost without harm. */
export const memo = z.object({ machine_version: z.number(), value: z.unknown(), context: z.unknown() });
export type Memo = z.infer<typeof memo>;

/** The observed status, `worker:<id>:status`: only the reconcile loop writes it, but for the first one of a worker that is given a warm body. */
export const statusRecord = z.object({
  status: z.enum(WORKER_STATUSES),
  /** The finer truth, such as `queued`, `booting` or `backoff`. */
  phase: z.string(),
  /** One word for programs, such as `OOMKilled`; empty where there is nothing to say. */
  reason: z.string(),
  /** One sentence for people. */
  message: z.string(),
  incarnation: z.number().int(),
  restarts: z.number().int(),
  ip_address: z.string().optional(),
  /** Of a direct worker that lives: its supervisor's, which is its process group's too. */
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

/** What the store holds of one worker, as read in one round trip. */
export interface WorkerRecord {
  id: string;
  desired: DesiredRecord;
  status: StatusRecord | undefined;
  memo: Memo | undefined;
  /** Rises with every status write; a write that was decided on an older one is refused. */
  revision: number;
}

/** One line of a worker's history, an entry of `worker:<id>:events`. */
export interface LifecycleEvent {
  timestamp: string;
  type: string;
  status: WorkerStatus;
  phase: string;
  reason: string;
  message: string;
  incarnation: number;
  /** What the manager did about it, in words. */
  actions: string[];
}

/** A worker in one line, as `list` and `ps` show it. */
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
  /** Of the last body that ended. */
  exit_code?: number;
  restarts: number;
  incarnation: number;
  created_at: string;
  /** A node that was started by hand: no manager has a record of it, or ends it. */
  external?: true;
  /** Of a worker that takes tasks: whose queue. */
  pool?: string;
  /** Where a task worker answers the node API. */
  node_url?: string;
}
