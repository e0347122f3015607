/**
 * The group of new files. This program is in the wrapper's group, so that the agent cannot trace it; what it creates belongs to
 * the agent's, unless the folder gives its own group to what is created in it.
 */
import { fstatSync } from 'node:fs';

const S_ISGID = 0o2000;
let agentGroup: number | undefined;

/** Sets the agent's group once. */
export function useGroup(group: number | undefined): void {
  agentGroup = group === process.getegid?.() ? undefined : group;
}

/** The group that a new file in an opened folder has to be given; undefined if it has the right one. */
export const groupIn = (folder: number): number | undefined =>
  agentGroup === undefined || (fstatSync(folder).mode & S_ISGID) !== 0 ? undefined : agentGroup;
