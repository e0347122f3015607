import { z } from 'zod';

/**
 * The wrapper's last report, a JSON string at `worker:<id>:heartbeat`. The key is renewed every HEARTBEAT_INTERVAL_MS;
 * a change of `phase` is also published on `worker:<id>:signal`, as an event. The key is kept after the body ends,
 * because the next incarnation continues from its `seq`.
 */
export const heartbeat = z.object({
  incarnation: z.number().int(),
  /** `ready`: accepts prompts. `ending`: is shutting down, or the agent has exited. */
  phase: z.enum(['booting', 'ready', 'ending']),
  /** When the heartbeat was written, by the wrapper's clock. */
  at: z.string(),
  ready_at: z.string().optional(),
  /** When the last prompt or line of output passed. */
  active_at: z.string(),
  /** A turn is active; the worker is not idle, even without output. */
  busy: z.boolean(),
  /** The wrapper needs its `secrets`, which are never stored in Redis; the manager passes them to the body. */
  needs_secrets: z.boolean().optional(),
  /** The body waits for the checkpoint from which its worker starts; the manager sends it to the body's door. */
  needs_checkpoint: z.boolean().optional(),
  /** The agent has ended, and the body waits until the manager has copied its workspace. */
  offers_checkpoint: z.boolean().optional(),
  /** Number of turns that have ended in this incarnation, for a worker that is saved after each. */
  turns: z.number().int().optional(),
  /** All prompts are answered; the worker is ready for another. */
  waiting: z.boolean().optional(),
  /** Bytes on disk of its workspace, at the last check. */
  workspace_bytes: z.number().int().optional(),
  /** Why the body ends before its agent is started, such as `WorkspaceSourceFailed`. */
  failure: z.string().optional(),
  /** Number of the agent's commands that were denied, in this incarnation. */
  denied: z.number().int().optional(),
  /** Number of running tasks, for a worker that runs tasks. */
  active_tasks: z.number().int().optional(),
  /** Number of tasks that can run at the same time. */
  slots: z.number().int().optional(),
  /** Number of tasks waiting in its pool's queue. */
  queue_size: z.number().int().optional(),
  /** When the oldest running task started, by the wrapper's clock. */
  job_started_at: z.string().optional(),
  /** CPU usage of the body; 100 is one core. */
  cpu_percent: z.number().optional(),
  /** Memory usage of the body; 100 is its limit. */
  memory_percent: z.number().optional(),
  /** The worker takes no new tasks: it drains, or exceeds its CPU or memory limits. */
  paused: z.boolean().optional(),
  /** URL of the worker's own HTTP server (the node API), such as `http://172.18.0.4:5000`. */
  node_url: z.string().optional(),
  /**
   * ID on the input stream up to which every entry is answered; reading continues there if the consumer group is lost.
   */
  input_id: z.string().optional(),
  /**
   * For a minute after `ready`: when the wrapper's process started, and the milliseconds of each step of its boot, such as
   * `2030-01-01T00:00:00.000Z node=40 record=6 agent=12`.
   */
  boot: z.string().optional(),
  /** `seq` of the last output entry written. */
  seq: z.number().int(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

/** Maximum number of bytes that are read of a heartbeat; a typical one has about 400. */
export const HEARTBEAT_BYTES = 8192;

const FIELDS = Object.entries(heartbeat.shape).map(([name, type]) => {
  const optional = type instanceof z.ZodOptional;
  const inner = optional ? type.unwrap() : type;
  return { name: name as keyof Heartbeat, optional, kind: getKind(inner) };
});
const PHASES: readonly unknown[] = heartbeat.shape.phase.options;

function getKind(type: unknown): 'string' | 'boolean' | 'number' | 'integer' {
  if (type instanceof z.ZodBoolean) return 'boolean';
  if (type instanceof z.ZodNumber) return type.isInt ? 'integer' : 'number';
  return 'string';
}

/**
 * Parses a heartbeat, which is untrusted because the body writes it; undefined if there is none. Each resync reads
 * thousands, so a table does the work of the schema at a tenth of its cost. A test compares the two.
 */
export function readHeartbeat(
  text: string | null | undefined,
): { heartbeat: Heartbeat; unreadable?: never } | { heartbeat?: never; unreadable: string } | undefined {
  if (!text) return undefined;
  if (text.length > HEARTBEAT_BYTES) return { unreadable: `it is longer than ${HEARTBEAT_BYTES} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { unreadable: 'it is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { unreadable: 'it is not an object' };
  const heartbeat = value as Heartbeat;
  for (const { name, optional, kind } of FIELDS) {
    const field: unknown = heartbeat[name];
    if (field === undefined && optional) continue;
    if (kind === 'integer' ? !Number.isSafeInteger(field) : typeof field !== kind)
      return { unreadable: `${name} is not a${kind === 'integer' ? 'n' : ''} ${kind}` };
  }
  if (!PHASES.includes(heartbeat.phase)) return { unreadable: 'phase is unknown' };
  return { heartbeat };
}

/** Whether the wrapper has accepted prompts; it never does if the body ends before the agent starts. */
export const wasReady = (heartbeat: Pick<Heartbeat, 'phase' | 'ready_at'> | undefined): boolean =>
  heartbeat !== undefined &&
  (heartbeat.phase === 'ready' || (heartbeat.phase === 'ending' && heartbeat.ready_at !== undefined));
