import { decide } from '../../src/reconcile/decide.ts';
import { type Given, lifeOf, look, memoOf } from './observation.ts';

/** A stored memo of a state of the machine. */
export const inState = (value: unknown, life = {}) => ({ memo: memoOf(value, lifeOf(life)) });
/** The decision in short: status, rule, types of intents, and the memo. */
export const decideShort = (given: Given) => {
  const { status, intents, rule, memo } = decide(look(given));
  return { ...status, rule, acts: intents.map(({ type }) => type), value: memo.value, memo };
};
