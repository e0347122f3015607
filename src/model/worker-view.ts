import { z } from 'zod';
import { RUNTIME_NAMES } from './runtimes.ts';
import { AGENT_TYPES } from './spec.ts';
import { DESIRED_STATES, WORKER_STATUSES } from './worker-states.ts';

const time = z.string().describe('RFC 3339 in UTC');
const orNull = <T extends z.ZodType>(schema: T) => schema.nullable();

/** A worker, as the HTTP API shows it: what was asked for, and what was observed. */
export const workerView = z
  .object({
    worker_id: z.string(),
    name: orNull(z.string()),
    agent_type: z.enum(AGENT_TYPES),
    runtime: orNull(z.enum(RUNTIME_NAMES)),
    labels: z.record(z.string(), z.string()),
    pool: orNull(z.string()).describe('the pool that created it'),
    desired: z.enum(DESIRED_STATES),
    status: z.enum(WORKER_STATUSES),
    phase: z.string().describe('the detailed state, such as `queued`, `booting`, `ready` or `backoff`'),
    reason: z.string().describe('one word for programs; empty if there is nothing to report'),
    message: z.string().describe('one sentence for people'),
    exit_code: orNull(z.number().int()).describe('of the last body that ended'),
    incarnation: z.number().int().describe("attempt number of the worker's body"),
    restarts: z.number().int(),
    generation: z.number().int().describe('increases with every accepted change; the ETag'),
    observed_generation: z.number().int().describe('the generation that the status is based on'),
    ip_address: orNull(z.string()),
    image: orNull(z.string()),
    node_url: orNull(z.string()).describe("URL of a task worker's node API"),
    created_at: time,
    started_at: orNull(time),
    running_at: orNull(time),
    finished_at: orNull(time),
    next_retry_at: orNull(time),
  })
  .meta({ id: 'Worker', description: 'A worker: what was asked for, and what was observed.' });
export type WorkerView = z.infer<typeof workerView>;
