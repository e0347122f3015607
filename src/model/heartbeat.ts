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
  /** The id of the input stream up to which every entry is answered: where reading goes on if the group is lost. */
  input_id: z.string().optional(),
  /** `seq` of the last output entry written. */
  seq: z.number().int(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

/** Bytes that are read of a heartbeat; a wrapper's has about 400. */
export const HEARTBEAT_BYTES = 8192;

const FIELDS = Object.entries(heartbeat.shape).map(([name, type]) => {
  const optional = type instanceof z.ZodOptional;
  const inner = optional ? type.unwrap() : type;
  return { name: name as keyof Heartbeat, optional, kind: kindOf(inner) };
});
const PHASES: readonly unknown[] = heartbeat.shape.phase.options;

function kindOf(type: unknown): 'string' | 'boolean' | 'number' | 'integer' {
  if (type instanceof z.ZodBoolean) return 'boolean';
  if (type instanceof z.ZodNumber) return type.isInt ? 'integer' : 'number';
  return 'string';
}

/**
 * Reads a heartbeat, which a body wrote and which may be anything; undefined if there is none. Thousands are read at each
 * resync, so this does by a table what the schema says, at a tenth of its cost. A test compares the two.
 */
export function readHeartbeat(
  text: string | null | undefined,
): { beat: Heartbeat; unreadable?: never } | { beat?: never; unreadable: string } | undefined {
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
  const beat = value as Heartbeat;
  for (const { name, optional, kind } of FIELDS) {
    const field: unknown = beat[name];
    if (field === undefined && optional) continue;
    if (kind === 'integer' ? !Number.isSafeInteger(field) : typeof field !== kind)
      return { unreadable: `${name} is not a${kind === 'integer' ? 'n' : ''} ${kind}` };
  }
  if (!PHASES.includes(beat.phase)) return { unreadable: 'phase is not a known one' };
  return { beat };
}

/** Whether the wrapper has taken prompts: a body that ends without having started its agent never has. */
export const wasReady = (beat: Pick<Heartbeat, 'phase' | 'ready_at'> | undefined): boolean =>
  beat !== undefined && (beat.phase === 'ready' || (beat.phase === 'ending' && beat.ready_at !== undefined));
