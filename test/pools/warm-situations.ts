/** Situations of pools that keep warm workers, for the golden table. */
import { dying, type Given, member, members, NOW, poolOf, starting } from './observation.ts';

const warm = (more = {}) =>
  poolOf({ handlers: undefined, template: { agent_type: 'CLAUDE' }, warm: 2, ...more });
const imageless = { ...dying, reason: 'ImageMissing', message: 'There is no image never-built.' };
const old = { revision: 'old' };

export const WARM_SITUATIONS: Record<string, Given> = {
  'two warm, none there': {
    spec: warm(),
  },
  'two warm, one of the old template': {
    spec: warm(),
    members: [member(1, { warm: true, ...old }), member(2, { warm: true })],
  },
  'two warm, one taken over a moment ago': {
    spec: warm(),
    members: [member(1, { warm: true })],
    more: { claiming_until: NOW + 1500 },
  },
  'two warm, the last taken over a moment ago': {
    spec: warm(),
    more: { claiming_until: NOW + 1500 },
  },
  'two warm, one taken over a while ago': {
    spec: warm(),
    members: [member(1, { warm: true })],
    more: { claiming_until: NOW },
  },
  'two warm, both wait': { spec: warm(), members: members(2, { warm: true }) },
  'two warm, both start': { spec: warm(), members: members(2, { warm: true, ...starting }) },
  'two warm, both keep dying': { spec: warm(), members: members(2, { warm: true, ...imageless }) },
  'two warm, one keeps dying': {
    spec: warm(),
    members: [member(1, { warm: true }), member(2, { warm: true, ...imageless })],
  },
  'two warm, those of the old template keep dying': {
    spec: warm(),
    members: members(2, { warm: true, ...old, ...imageless }),
  },
  'two warm, one is left of an image of before': {
    spec: warm(),
    members: [member(1, { warm: true, stale: true }), ...members(2, { warm: true, ...starting }, 2)],
  },
  'two warm anywhere, and nothing answers': {
    spec: warm({ execution_mode: 'auto' }),
    more: { auto: undefined },
  },
  'three and two warm, one of these keeps dying': {
    spec: warm({ count: 3 }),
    members: [...members(3), member(4, { warm: true }), member(5, { warm: true, ...imageless })],
  },
  'three and two warm, one of those starts': {
    spec: warm({ count: 3 }),
    members: [...members(2), member(3, starting), ...members(2, { warm: true }, 4)],
  },
  'none any more, two warm that keep dying are left': {
    spec: poolOf({ count: 0, handlers: undefined, template: { agent_type: 'CLAUDE' } }),
    members: members(2, { warm: true, ...imageless }),
  },
};
