import type { Intent } from './decision.ts';

/**
 * A named point between two steps at which a manager can crash. The crash tests pass a callback that ends the process
 * at one of them; in production there is no callback.
 * - `command:read`: a command was delivered and not yet applied; `command:settled`: it was applied, and the response
 *   was not sent.
 * - `record:before`, `record:after`: a decision was made, or was stored but not acted on.
 * - `act:<intent>:before`, `act:<intent>:after`: before and after each external action.
 * - `pool:<step>:before`, `pool:<step>:after`: the same for a pool, whose actions are writes of worker records.
 * - `purged`: the record of a worker was deleted, and its files were not.
 * - `recovered`: a new leader has loaded its store and has done nothing else.
 */
export type CrashPoint = (
  point:
    | 'command:read'
    | 'command:settled'
    | 'record:before'
    | 'record:after'
    | `act:${Intent['type']}:${'before' | 'after'}`
    | `pool:${'record' | 'add' | 'retire' | 'purge'}:${'before' | 'after'}`
    | 'purged'
    | 'recovered',
) => void;
