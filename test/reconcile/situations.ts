/** Every state of the machine and every situation, which are the axes of the golden table. */
import type { WorkerState } from '../../machines/conditions.ts';
import { formatInstant, type ImageState } from '../../src/model/index.ts';
import { type Given, INCARNATION, lifeOf, NOW } from './observation.ts';

const ended = {
  reason: 'Error',
  message: 'It exited with code 3.',
  exit_code: 3,
  well: false,
  at: NOW - 5000,
};
const expected = true;
const running_since = NOW - 15_000;
const ending = { reason: 'Stopped', message: 'It was stopped.', kill_at: NOW + 4000 };

/** State → what is remembered in it. All ended under generation 1, but for those that have not ended. */
export const STATES: Record<string, { value: unknown; context: WorkerState }> = {
  'STARTING.creating': { value: { STARTING: 'creating' }, context: lifeOf() },
  'STARTING.building': { value: { STARTING: 'building' }, context: lifeOf() },
  'STARTING.queued': {
    value: { STARTING: 'queued' },
    context: lifeOf({ queued_since: NOW - 8000 }),
  },
  'STARTING.booting': { value: { STARTING: 'booting' }, context: lifeOf({ expected }) },
  'STARTING.backoff': {
    value: { STARTING: 'backoff' },
    context: lifeOf({ next_retry_at: NOW + 2000, outcome: ended }),
  },
  'STARTING.stopping': {
    value: { STARTING: 'stopping' },
    context: lifeOf({
      expected,
      generation: 1,
      ending: { ...ending, reason: 'StartDeadlineExceeded', message: 'It was not ready in time.' },
    }),
  },
  'RUNNING.assigned': { value: { RUNNING: 'assigned' }, context: lifeOf({ running_since }) },
  'RUNNING.booting': { value: { RUNNING: 'booting' }, context: lifeOf({ expected, running_since }) },
  'RUNNING.ready': { value: { RUNNING: 'ready' }, context: lifeOf({ expected, running_since }) },
  'RUNNING.silent': { value: { RUNNING: 'silent' }, context: lifeOf({ expected, running_since }) },
  'RUNNING.killing': {
    value: { RUNNING: 'killing' },
    context: lifeOf({
      expected,
      running_since,
      generation: 1,
      ending: { reason: 'HungBody', message: 'It was hung.', kill_at: NOW },
    }),
  },
  'RUNNING.stopping': {
    value: { RUNNING: 'stopping' },
    context: lifeOf({ expected, running_since, generation: 1, ending }),
  },
  STOPPED: {
    value: 'STOPPED',
    context: lifeOf({ generation: 1, outcome: { ...ended, reason: 'Completed', exit_code: 0, well: true } }),
  },
  FAILED: { value: 'FAILED', context: lifeOf({ generation: 1, outcome: ended }) },
  DELETED: { value: 'DELETED', context: lifeOf({ generation: 1, outcome: ended }) },
};

const young = { started_at: NOW - 1000 };
const old = { started_at: NOW - 121_000 };
const exited = { state: 'exited', finished_at: NOW - 500 } as const;
const stopped = { desired: 'stopped', generation: 2 } as const;
const deleted = { desired: 'deleted', generation: 2 } as const;
const restarted = { generation: 2, min_incarnation: INCARNATION + 1 };
const onFailure = { restart_policy: 'on-failure' } as const;
const always = { restart_policy: 'always' } as const;
const later = NOW + 10_000;
const transient = { kind: 'transient', reason: 'NameTaken', message: 'The name is taken.' } as const;

const name = 'worker:0123456789ab';
const failed: ImageState = {
  kind: 'failed',
  name,
  at: NOW - 1000,
  reason: 'ImageBuildFailed',
  message: 'Step 2/9 failed.',
};

/** A body whose task had run this long, in milliseconds, at its last heartbeat; it may take 30 seconds. */
const task = (ran: number): Given => ({
  body: {},
  beat: { job_started_at: formatInstant(NOW - 1000 - ran) },
  spec: { agent_type: 'TASK', max_job_time_seconds: 30, command_line: undefined } as never,
});

/** Situation → observation, with short names for reviewers of the table. */
export const SITUATIONS: Record<string, Given> = {
  'the engine does not answer': { actual: { kind: 'unknown', error: 'connect ECONNREFUSED' } },
  'two bodies': { actual: { kind: 'ambiguous', ids: ['a', 'b'] } },
  'no body': {},
  'no body, but its heartbeat was heard': { beat: {} },
  'no body, always': { spec: always },
  'no body, refused for now': { action_error: transient },
  'no body, refused for now, overdue': {
    action_error: transient,
    spec: { start_deadline_seconds: 10 },
  },
  'no body, refused for good': { action_error: { ...transient, kind: 'permanent', reason: 'ImageMissing' } },
  'no body, refused for good, always': { action_error: { ...transient, kind: 'permanent' }, spec: always },
  'no body, retry due': { now: later },
  'no body, clock set back an hour': { now: NOW - 3_600_000 },
  'no body, must wait for its turn': { queued: 'Position 3 of 9 in the start queue.' },
  'no body, must wait, refused for now, overdue': {
    queued: 'Position 3 of 9 in the start queue.',
    action_error: transient,
    spec: { start_deadline_seconds: 10 },
  },
  'no body, expired': { spec: { ttl_seconds: 60 } },
  'no body, kept long enough': { spec: { keep_finished_seconds: 1 } },
  'no body, started by a later command': { desired: { generation: 2 } },
  'no body, restarted by a later command': { desired: restarted },
  'no body, no image': { image: { kind: 'absent', name } },
  'no body, image being built': { image: { kind: 'building', name, step: 'Step 2/9 : RUN apt-get' } },
  'no body, build failed before this try': { image: { ...failed, at: NOW - 60_000 } },
  'no body, build failed': { image: failed },
  'no body, build failed, always': { image: failed, spec: always },
  'no body, no room to build': { image: { ...failed, reason: 'Capacity', message: 'The disk is full.' } },
  'no body, image cannot be looked for': { image: { kind: 'unknown', error: 'timeout' } },
  'stopped, no body, image being built': {
    desired: stopped,
    image: { kind: 'building', name, step: 'Step 2/9 : RUN apt-get' },
  },
  'body alive, waits for its secrets': { body: young, beat: { phase: 'booting', needs_secrets: true } },
  'body alive, waits for its secrets too long': {
    body: old,
    beat: { phase: 'booting', needs_secrets: true },
  },
  'body made': { body: { state: 'created' } },
  'body alive': { body: young },
  'body alive, its predecessor ready': { body: young, beat: { incarnation: INCARNATION - 1 } },
  'body alive, never ready': { body: old },
  'body alive, booting heard': { body: young, beat: { phase: 'booting' } },
  'body ready': { body: {}, beat: {} },
  'body ready, wrapper ending': { body: {}, beat: { phase: 'ending' } },
  'body ready, silent': { body: {}, beat: { at: formatInstant(NOW - 31_000) } },
  'body ready, silent, but the manager is new': {
    body: {},
    beat: { at: formatInstant(NOW - 31_000) },
    watching_since: NOW - 1000,
  },
  'body ready, quiet and stuck': { body: {}, beat: {}, vitals: { quiet_ms: 61_000, stuck_ms: 60_000 } },
  'body quiet and stuck, its heartbeat lost': { body: {}, vitals: { quiet_ms: 61_000, stuck_ms: 60_000 } },
  'body ready, quiet and unhealthy': {
    body: {},
    beat: {},
    vitals: { quiet_ms: 61_000, stuck_ms: 60_000, unhealthy: true },
  },
  'body ready, quiet and at work': { body: {}, beat: {}, vitals: { quiet_ms: 600_000, stuck_ms: 0 } },
  'body ready, stuck and heard': { body: {}, beat: {}, vitals: { quiet_ms: 4000, stuck_ms: 600_000 } },
  'body ready, quiet and just stuck': { body: {}, beat: {}, vitals: { quiet_ms: 600_000, stuck_ms: 30_000 } },
  'body ready, task too long': { ...task(91_000), vitals: { quiet_ms: 0, stuck_ms: 0 } },
  'body ready, task at its bound': { ...task(31_000), vitals: { quiet_ms: 0, stuck_ms: 0 } },
  'body ready, task too long since it was last heard': {
    ...task(20_000),
    vitals: { quiet_ms: 70_000, stuck_ms: 0 },
  },
  'body ready, task too long, not checked yet': task(3_600_000),
  'body ready, quiet and stuck, stopped': {
    desired: stopped,
    body: {},
    beat: {},
    vitals: { quiet_ms: 61_000, stuck_ms: 60_000 },
  },
  'body booting, quiet and stuck': {
    body: young,
    beat: { phase: 'booting' },
    vitals: { quiet_ms: 61_000, stuck_ms: 60_000 },
  },
  'body ready, idle': {
    body: {},
    beat: { active_at: formatInstant(NOW - 61_000) },
    spec: { idle_timeout_seconds: 60 },
  },
  'body ready, busy and quiet': {
    body: {},
    beat: { active_at: formatInstant(NOW - 61_000), busy: true },
    spec: { idle_timeout_seconds: 60 },
  },
  'body ready, expired': { body: {}, beat: {}, spec: { ttl_seconds: 60 } },
  'body alive, started by a later command': { body: {}, beat: {}, desired: { generation: 2 } },
  'earlier body made': { body: { incarnation: INCARNATION - 1, state: 'created' } },
  'earlier body alive': { body: { incarnation: INCARNATION - 1 } },
  'earlier body exited': { body: { incarnation: INCARNATION - 1, ...exited, exit_code: 0 } },
  'later body alive': { body: { incarnation: INCARNATION + 1 } },
  'body exited 0': { body: { ...exited, exit_code: 0 } },
  'body exited 0, on-failure': { body: { ...exited, exit_code: 0 }, spec: onFailure },
  'body exited 0, always': { body: { ...exited, exit_code: 0 }, spec: always },
  'body exited 3': { body: { ...exited, exit_code: 3, tail: 'working\nno such model\n' } },
  'body exited 3, on-failure': { body: { ...exited, exit_code: 3 }, spec: onFailure },
  'body exited 3, on-failure, restarts used up': {
    body: { ...exited, exit_code: 3 },
    spec: { ...onFailure, max_restarts: 1 },
  },
  'body exited 3, started by a later command': {
    body: { ...exited, exit_code: 3 },
    desired: { generation: 2 },
  },
  'body killed from outside': { body: { ...exited, exit_code: 137 } },
  'body out of memory': { body: { ...exited, exit_code: 137, oom_killed: true } },
  'body exited without a code': { body: exited },
  'body could not be started': { body: { ...exited, exit_code: 127, error: 'no such program' } },
  'stopped, no body': { desired: stopped },
  'stopped, body made': { desired: stopped, body: { state: 'created' } },
  'stopped, body ready': { desired: stopped, body: {}, beat: {} },
  'stopped, body alive after its grace': { desired: stopped, body: {}, beat: {}, now: later },
  'stopped, body exited 143': { desired: stopped, body: { ...exited, exit_code: 143 }, spec: always },
  'stopped, the engine does not answer': { desired: stopped, actual: { kind: 'unknown', error: 'timeout' } },
  'restarted, body ready': { desired: restarted, body: {}, beat: {} },
  'restarted, body exited 143': { desired: restarted, body: { ...exited, exit_code: 143 } },
  'deleted, no body': { desired: deleted },
  'deleted, body made': { desired: deleted, body: { state: 'created' } },
  'deleted, body ready': { desired: deleted, body: {}, beat: {} },
  'deleted, body alive after its grace': { desired: deleted, body: {}, beat: {}, now: later },
  'deleted, body exited 143': { desired: deleted, body: { ...exited, exit_code: 143 } },
  'deleted, the engine does not answer': { desired: deleted, actual: { kind: 'unknown', error: 'timeout' } },
  'deleted, two bodies': { desired: deleted, actual: { kind: 'ambiguous', ids: ['a', 'b'] } },
};
