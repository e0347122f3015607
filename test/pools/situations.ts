/** Situations of pools for the golden table, by readable names. */
import {
  busy,
  dying,
  failed,
  type Given,
  LAST_ERROR,
  member,
  members,
  NOW,
  poolOf,
  silent,
  starting,
  startingAgain,
} from './observation.ts';
import { ROLLOUT_SITUATIONS } from './rollout-situations.ts';
import { WARM_SITUATIONS } from './warm-situations.ts';

const scaled = (more = {}) => poolOf({ min: 0, max: 10, ...more });
const sized = (size: number, wants: [ago: number, n: number][] = []) => ({
  size,
  wants: wants.map(([ago, n]) => ({ at: NOW - ago, n })),
});

export const SITUATIONS: Record<string, Given> = {
  // A fixed number.
  'three, none there': {},
  'three, as it should be': { members: members(3) },
  'three, two start': { members: [member(1), ...members(2, starting, 2)] },
  'three, the second is missing': { members: [member(1), member(3)] },
  'three, one ended for good': { members: [...members(2), member(3, failed)] },
  'three, one ended for good, for the fourth time': {
    members: [...members(2), member(3, failed)],
    memo: { failures: 3 },
  },
  'three, the wait after a failure': {
    members: members(2),
    memo: {
      failures: 2,
      next_retry_at: NOW + 1500,
      failure: { reason: 'Error', message: 'It exited with code 1.' },
    },
  },
  'three, the wait is over': { members: members(2), memo: { failures: 2, next_retry_at: NOW - 1 } },
  'three, one was stopped by hand': {
    members: [...members(2), member(3, { desired: 'stopped', status: 'STOPPED', phase: 'finished' })],
  },
  'three, one keeps dying': { members: [...members(2), member(3, dying)] },
  'three, two are there and all keep dying': { members: members(2, dying) },
  'three, all start again': { members: members(3, startingAgain), memo: { last_words: [LAST_ERROR] } },
  'three, all start again, their image is built first': {
    members: members(3, {
      ...startingAgain,
      phase: 'building',
      reason: 'ImageBuilding',
      message: 'a: step 1.',
    }),
    memo: { last_words: [LAST_ERROR] },
  },
  'three, all start again, and nobody knows of what they died': {
    members: members(3, startingAgain),
  },
  'three, one is silent': { members: [...members(2), member(3, silent)] },
  'one, and it is silent': { spec: poolOf({ count: 1 }), members: [member(1, silent)] },
  'one, and it hangs': {
    spec: poolOf({ count: 1 }),
    members: [member(1, { phase: 'killing', reason: 'HungBody', message: 'It hangs.' })],
  },
  'three, five are there': { members: members(5) },
  'three, five are there and the newest two are busy': {
    members: [...members(3), ...members(2, busy(), 4)],
  },
  'three, five are there, all busy, one with most': {
    members: [member(1, busy(3)), ...members(4, busy(1), 2)],
  },
  'three, five are there, one does not start': { members: [member(1, starting), ...members(4, busy(), 2)] },
  'three, two leave already': {
    members: [...members(3), ...members(2, { desired: 'deleted', ...busy() }, 4)],
  },
  'none, three are there': { spec: poolOf({ count: 0 }), members: members(3) },
  // Scaled on the queue.
  'scaled, nothing to do, none there': { spec: scaled() },
  'scaled, four tasks wait, none there': { spec: scaled(), queued: 4 },
  'scaled, more tasks than the most': { spec: scaled(), queued: 400, memo: sized(2), members: members(2) },
  'scaled, two tasks a worker': {
    spec: scaled({ concurrency: 2 }),
    queued: 3,
    active: 2,
    members: members(1),
  },
  'scaled, a target of its own': {
    spec: scaled({ concurrency: 2, autoscale: { target: 10 } }),
    queued: 25,
    memo: sized(1),
    members: members(1),
  },
  'scaled, grown a moment ago': {
    spec: scaled({ autoscale: { up_cooldown_seconds: 10 } }),
    queued: 8,
    members: members(2),
    memo: { ...sized(2), grew_at: NOW - 4000 },
  },
  'scaled, a lull within the window': {
    spec: scaled(),
    queued: 0,
    members: members(5),
    memo: sized(5, [[20_000, 5]]),
  },
  'scaled, the most within the window is less': {
    spec: scaled(),
    queued: 1,
    members: members(5),
    memo: sized(5, [
      [61_000, 5],
      [30_000, 3],
    ]),
  },
  'scaled, nothing to do for longer than the window': {
    spec: scaled(),
    members: members(5),
    memo: sized(5, [[61_000, 5]]),
  },
  'scaled, may shrink, changed a moment ago': {
    spec: scaled(),
    members: members(5),
    memo: { ...sized(5, [[61_000, 5]]), resized_at: NOW - 5000 },
  },
  'scaled, nothing to do, a clock set back an hour': {
    spec: scaled(),
    members: members(5),
    memo: sized(5, [[-3_600_000, 5]]),
  },
  'scaled, nothing to do, the memory lost': { spec: scaled(), members: members(5) },
  'scaled, the queue does not tell': {
    spec: scaled(),
    members: members(5),
    memo: sized(5),
    more: { queue: { kind: 'unknown', error: 'Redis is away' } },
  },
  'scaled, only the leaving one works': {
    spec: scaled(),
    active: 1,
    members: [member(1, { desired: 'deleted', ...busy() })],
    memo: sized(0),
  },
  'scaled, all keep dying and tasks wait': {
    spec: scaled(),
    queued: 9,
    members: members(2, dying),
    memo: sized(2),
  },
  // Placement.
  'two in Docker, one direct, none there': { spec: poolOf({ execution_mode: { docker: 2, direct: 1 } }) },
  'six of such a mix': { spec: poolOf({ execution_mode: { docker: 2, direct: 1 }, count: 6 }) },
  'two in Docker, one direct, all direct': {
    spec: poolOf({ execution_mode: { docker: 2, direct: 1 } }),
    members: members(3),
  },
  'anywhere, and nothing answers': {
    spec: poolOf({ count: 2, execution_mode: 'auto' }),
    more: { auto: undefined },
  },
  'anywhere, direct ones are there': {
    spec: poolOf({ count: 3, execution_mode: 'auto' }),
    members: members(2),
  },
  ...ROLLOUT_SITUATIONS,
  ...WARM_SITUATIONS,
  // Its end.
  deleted: {
    members: [member(1, busy()), member(2)],
    more: { pool: { ...deleted() } },
  },
  'deleted, one is left': {
    members: [member(1, { ...busy(), desired: 'deleted' })],
    more: { pool: deleted() },
  },
  'deleted, none is left': { more: { pool: deleted() } },
};

function deleted() {
  return {
    spec: poolOf({ count: 3 }),
    desired: 'deleted' as const,
    generation: 2,
    created_at: '2026-01-01T00:00:00.000Z',
    request_id: 'r',
  };
}
