import type { Intent } from './decision.ts';

/**
 * A point between two steps at which a manager may die, by name. The crash tests hand in a callback that ends the
 * process at one of them; the product hands in none, and then nothing is called.
 *
 * - `command:read`: a command was delivered and is not settled; `command:settled`: it is, and nobody was told.
 * - `record:before`, `record:after`: a decision was made, or was stored and not acted on.
 * - `act:<intent>:before`, `act:<intent>:after`: around everything that is done to the world.
 * - `pool:<step>:before`, `pool:<step>:after`: the same of a pool, whose acts are the records of its workers.
 * - `recovered`: a new leader knows its store and has looked at nothing else.
 */
export type Checkpoint = (
  point:
    | 'command:read'
    | 'command:settled'
    | 'record:before'
    | 'record:after'
    | `act:${Intent['type']}:${'before' | 'after'}`
    | `pool:${'record' | 'add' | 'retire' | 'purge'}:${'before' | 'after'}`
    | 'recovered',
) => void;
