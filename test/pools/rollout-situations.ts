/** Situations of pools with a new template, for the golden table. */
import {
  busy,
  dying,
  type Given,
  LAST_ERROR,
  member,
  members,
  NOW,
  old,
  poolOf,
  starting,
  startingAgain,
} from './observation.ts';

const MINUTE = 60_000;
const done = { revision: 'new', progressed_at: NOW - MINUTE, best: 3, done: true };
const rolling = (ago: number, best = 0) => ({ revision: 'new', progressed_at: NOW - ago, best, done: false });

export const ROLLOUT_SITUATIONS: Record<string, Given> = {
  'rolling out, nothing yet': { members: members(3, old) },
  'rolling out, two more at a time': {
    spec: poolOf({ count: 3, update: { max_surge: 2 } }),
    members: members(3, old),
  },
  'rolling out, one may be missing': {
    spec: poolOf({ count: 3, update: { max_surge: 0, max_unavailable: 1 } }),
    members: members(3, old),
  },
  'rolling out, the first starts': {
    members: [...members(3, old), member(4, starting)],
    memo: { rollout: rolling(MINUTE) },
  },
  'rolling out, the first is just ready': {
    members: [...members(3, old), member(4, { ready_since: NOW - 400 })],
    memo: { rollout: rolling(MINUTE) },
  },
  'rolling out, the first is ready': {
    members: [...members(3, old), member(4)],
    memo: { rollout: rolling(MINUTE) },
  },
  'rolling out, the first is ready, some are busy': {
    members: [member(1, { ...old, ...busy() }), member(2, old), member(3, { ...old, ...busy() }), member(4)],
    memo: { rollout: rolling(MINUTE) },
  },
  'rolling out, two are ready': {
    members: [member(1, old), ...members(2, {}, 4)],
    memo: { rollout: rolling(MINUTE, 1) },
  },
  'rolling out, the old ones do not start': { members: members(3, { ...old, ...dying }) },
  'rolling out, the first keeps dying': {
    members: [...members(3, old), member(4, { ...dying, restarts: 3 })],
    memo: { rollout: rolling(MINUTE) },
  },
  'rolling out, the first keeps dying and starts again': {
    members: [...members(3, old), member(4, startingAgain)],
    memo: {
      rollout: rolling(MINUTE),
      last_words: [LAST_ERROR, { ...LAST_ERROR, revision: 'old', message: 'No.' }],
    },
  },
  'rolling out, the first keeps dying, and nobody knows of what': {
    members: [...members(3, old), member(4, startingAgain)],
    memo: { rollout: rolling(MINUTE) },
  },
  'rolling out, too slowly': {
    members: [...members(3, old), member(4, starting)],
    memo: { rollout: rolling(600_000) },
  },
  'rolling out, too slowly, but the manager is new': {
    members: [...members(3, old), member(4, starting)],
    memo: { rollout: rolling(600_000) },
    more: { watching_since: NOW - 1000 },
  },
  stopped: {
    members: [...members(3, old), member(4, dying)],
    memo: {
      rollout: { ...rolling(700_000), stopped: { reason: 'ProgressDeadlineExceeded', message: 'Too slow.' } },
    },
  },
  'stopped, one of the old is lost': {
    members: [...members(2, old), member(4, dying)],
    memo: {
      rollout: { ...rolling(700_000), stopped: { reason: 'ProgressDeadlineExceeded', message: 'Too slow.' } },
    },
  },
  'stopped, and ready after all': {
    members: [...members(3, old), member(4)],
    memo: {
      rollout: { ...rolling(700_000), stopped: { reason: 'ProgressDeadlineExceeded', message: 'Too slow.' } },
    },
  },
  'stopped, another template comes': {
    members: [...members(3, old), member(4, { ...dying, revision: 'broken' })],
    memo: {
      rollout: {
        ...rolling(700_000),
        revision: 'broken',
        stopped: { reason: 'RolloutFailed', message: 'No.' },
      },
    },
  },
  'rolled out': { members: members(3), memo: { rollout: done } },
  'rolled out, later one keeps dying': {
    members: [...members(2), member(3, dying)],
    memo: { rollout: done },
  },
  'the first start takes too long': { members: members(3, starting), memo: { rollout: rolling(600_000) } },
};
