import { z } from 'zod';
import { RUNTIME_NAMES } from '../runtimes.ts';
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

/** What of a spec a view shows. */
type ShownSpec = Partial<Pick<WorkerView, 'name' | 'agent_type' | 'runtime' | 'labels' | 'pool'>>;

/** A worker as it is accepted, of which nothing was observed yet. */
export function toAcceptedView(
  { name, agent_type, runtime, labels, pool }: { [field in keyof ShownSpec]: ShownSpec[field] | undefined },
  { worker_id, created_at }: Pick<WorkerView, 'worker_id' | 'created_at'>,
): WorkerView {
  return {
    worker_id,
    name: name ?? null,
    agent_type: agent_type ?? 'CUSTOM',
    runtime: runtime ?? null,
    labels: labels ?? {},
    pool: pool ?? null,
    desired: 'running',
    status: 'STARTING',
    phase: 'accepted',
    reason: '',
    message: '',
    exit_code: null,
    incarnation: 0,
    restarts: 0,
    generation: 1,
    observed_generation: 0,
    ip_address: null,
    image: null,
    node_url: null,
    created_at,
    started_at: null,
    running_at: null,
    finished_at: null,
    next_retry_at: null,
  };
}
