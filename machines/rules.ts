/**
 * The notation of the rules in `worker.ts`: a guard, changes of the stored state, actions, and the next
 * state. Pure.
 */
import * as is from './conditions.ts';
import type { guards, TransitionArgs } from './guards.ts';

const bodyId = ({ event }: TransitionArgs) => ({ body_id: is.body(event.observation)?.id ?? '' });
export const requestBuild = {
  type: 'build',
  params: ({ event }: TransitionArgs) => ({
    image: event.observation.image?.kind === 'unknown' ? '' : (event.observation.image?.name ?? ''),
  }),
} as const;
export const create = {
  type: 'create',
  params: ({ context }: TransitionArgs) => ({ incarnation: context.incarnation }),
} as const;
export const start = { type: 'start', params: bodyId } as const;
export const deliver = { type: 'deliver', params: bodyId } as const;
export const terminate = { type: 'terminate', params: bodyId } as const;
export const kill = { type: 'kill', params: bodyId } as const;
/** With no body, `body_id` is empty and the intent is dropped. */
export const remove = { type: 'remove', params: bodyId } as const;

type StateAction =
  | 'adopt'
  | 'mark ready'
  | 'begin ending'
  | 'give up'
  | 'back off'
  | 'next incarnation'
  | 'do without'
  | 'start afresh'
  | 'join the queue'
  | 'leave the queue'
  | 'settle';
type IntentAction =
  | typeof requestBuild
  | typeof create
  | typeof start
  | typeof deliver
  | typeof terminate
  | typeof kill
  | typeof remove
  | 'purge';
type State =
  | `STARTING.${'creating' | 'building' | 'queued' | 'booting' | 'backoff' | 'stopping'}`
  | `RUNNING.${'assigned' | 'booting' | 'ready' | 'silent' | 'killing' | 'stopping'}`
  | 'STOPPED'
  | 'FAILED'
  | 'DELETED';

/**
 * One rule: if the guard holds, change the stored state and request the actions, and move to the state if one is named.
 */
export function when(guard: keyof typeof guards, does: (StateAction | IntentAction)[], to?: State) {
  const actions = [...does, { type: 'rule' as const, params: { name: guard } }];
  return { guard, actions, ...(to ? { target: `#worker.${to}` as const } : {}) };
}
