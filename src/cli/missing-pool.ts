import { Fault } from '../model/index.ts';

/** The error for a pool without a record. */
export const createMissingPool = (name: string) =>
  new Fault('not_found', `The pool ${name} does not exist. \`wm pools\` lists the pools.`);
