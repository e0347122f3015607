import { z } from 'zod';

/** How often a wrapper renews its heartbeat, in milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 5000;

/**
 * What the wrapper last said of itself, a JSON string at `worker:<id>:heartbeat`. The key is renewed every
 * HEARTBEAT_INTERVAL_MS; a change of `phase` is also published on `worker:<id>:signal`, as a hint to look.
 * It is kept after the body's end, because the next incarnation goes on from its `seq`.
 */
export const heartbeat = z.object({
  incarnation: z.number().int(),
  /** `ready`: takes prompts. `ending`: was told to end, or the agent has ended. */
  phase: z.enum(['booting', 'ready', 'ending']),
  /** When this was written, by the wrapper's clock. */
  at: z.string(),
  ready_at: z.string().optional(),
  /** When a prompt or a line of output last passed. */
  active_at: z.string(),
  /** A turn is under way: never idle, however quiet. */
  busy: z.boolean(),
  /** It waits for its `secrets`, which are never in Redis: the manager hands them to the body. */
  needs_secrets: z.boolean().optional(),
  /** It waits for a prompt, having answered all that it was given. */
  waiting: z.boolean().optional(),
  /** Commands that the agent was refused, in this incarnation. */
  denied: z.number().int().optional(),
  /** Tasks that it runs now, of a worker that takes tasks. */
  active_tasks: z.number().int().optional(),
  /** Tasks that it can run at the same time. */
  slots: z.number().int().optional(),
  /** Tasks that wait in its pool's queue. */
  queue_size: z.number().int().optional(),
  /** When the oldest of the tasks that run now was begun, by the wrapper's clock. */
  job_started_at: z.string().optional(),
  /** CPU of the body, 100 for one core. */
  cpu_percent: z.number().optional(),
  /** Memory of the body, 100 for all that it may use. */
  memory_percent: z.number().optional(),
  /** It takes nothing new: it drains, or is above its limits of CPU or memory. */
  paused: z.boolean().optional(),
  /** Where the worker answers for itself over HTTP (the node API), such as `http://172.18.0.4:5000`. */
  node_url: z.string().optional(),
  /** `seq` of the last output entry written. */
  seq: z.number().int(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

/** Whether the wrapper has taken prompts: a body that ends without having started its agent never has. */
export const wasReady = (beat: Pick<Heartbeat, 'phase' | 'ready_at'> | undefined): boolean =>
  beat !== undefined && (beat.phase === 'ready' || (beat.phase === 'ending' && beat.ready_at !== undefined));
