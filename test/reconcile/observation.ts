/** Observations of a worker for the tests of the decision: a default one, with optional changes. */
import type { WorkerState } from '../../machines/conditions.ts';
import { MACHINE_VERSION } from '../../machines/worker.ts';
import {
  type Body,
  type DesiredRecord,
  formatInstant,
  type Heartbeat,
  type Memo,
  type Observation,
  type StatusRecord,
  type WorkerSpec,
  workerSpec,
} from '../../src/model/index.ts';

/** The instant of every observation. */
export const NOW = Date.parse('2030-01-01T12:00:00.000Z');
export const ID = '0b0e7f3e-0000-4000-8000-000000000001';
export const LIMITS = {
  backoff_base_ms: 1000,
  backoff_max_ms: 60_000,
  backoff_reset_ms: 600_000,
  heartbeat_silent_ms: 30_000,
  hung_ms: 60_000,
};
/** The incarnation that all lives are in. */
export const INCARNATION = 2;

export function specOf(more: Partial<WorkerSpec> = {}): WorkerSpec {
  return workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['agent'], runtime: 'docker', ...more });
}

export function bodyOf(more: Partial<Body> = {}): Body {
  return {
    id: 'body',
    runtime: 'docker',
    worker_id: ID,
    incarnation: INCARNATION,
    spec_hash: 'hash',
    spec: '{}',
    state: 'running',
    created_at: NOW - 20_000,
    started_at: NOW - 20_000,
    image: 'worker:1',
    ip_address: '10.0.0.2',
    ...more,
  };
}

export function beatOf(more: Partial<Heartbeat> = {}): Heartbeat {
  const at = formatInstant(NOW - 1000);
  return {
    incarnation: INCARNATION,
    phase: 'ready',
    at,
    active_at: at,
    busy: false,
    seq: 7,
    ready_at: formatInstant(NOW - 15_000),
    ...more,
  };
}

export function lifeOf(more: Partial<WorkerState> = {}): WorkerState {
  return {
    incarnation: INCARNATION,
    expected: false,
    restarts: 1,
    failures: 1,
    generation: 0,
    starting_since: NOW - 20_000,
    ...more,
  };
}

export function statusOf(more: Partial<StatusRecord> = {}): StatusRecord {
  return {
    status: 'STARTING',
    phase: 'creating',
    reason: '',
    message: '',
    incarnation: INCARNATION,
    restarts: 1,
    runtime: 'docker',
    observed_generation: 1,
    ...more,
  };
}

export const memoOf = (value: unknown, context: unknown): Memo => ({
  machine_version: MACHINE_VERSION,
  value,
  context,
});

export interface Given extends Partial<Omit<Observation, 'desired' | 'limits'>> {
  desired?: Partial<Omit<DesiredRecord, 'spec'>>;
  spec?: Partial<WorkerSpec>;
  body?: Partial<Body>;
  beat?: Partial<Heartbeat>;
}

/** One observation; by default, a worker that should run and has no body and no memo. */
export function look({ desired, spec, body, beat, ...more }: Given = {}): Observation {
  return {
    worker_id: ID,
    desired: {
      desired: 'running',
      generation: 1,
      created_at: formatInstant(NOW - 3_600_000),
      request_id: 'r',
      spec: specOf(spec),
      ...desired,
    },
    status: undefined,
    memo: undefined,
    actual: body ? { kind: 'present', body: bodyOf(body) } : { kind: 'absent' },
    heartbeat: beat ? beatOf(beat) : undefined,
    action_error: undefined,
    now: NOW,
    watching_since: NOW - 7_200_000,
    limits: LIMITS,
    ...more,
  };
}
