/** The checks of `doctor` about the data in the store. */
import { RECORD_FORMAT } from '../../model/index.ts';
import { findRefusedCommands, readFindings, readFormat } from '../../store/index.ts';
import type { Session } from '../session.ts';
import { bad, type DoctorCheck } from './doctor-check.ts';

const ADVICE: Record<string, string> = {
  NOPERM: 'Give the user of REDIS_URL the rights of the user manager in deploy/prepare.sh.',
  READONLY: 'It is a replica: set REDIS_URL to the primary, or run REPLICAOF NO ONE.',
  OOM: 'It is full: raise maxmemory, or delete workers that have ended (`wm prune`).',
  MISCONF: 'It cannot write to its disk: free some space, and look at its log.',
};

/** The commands that Redis refuses, such as a replica, a full one, or one whose user lacks a right. */
export async function* refusalChecks({ redis, store }: Session): AsyncGenerator<DoctorCheck> {
  for (const [why, commands] of await findRefusedCommands(redis, `${store.keys.leader}:doctor`))
    yield bad('Redis commands', `${why} for ${commands.join(', ')}`, ADVICE[why] ?? "Look at Redis's log.");
}

/**
 * Whether managers of this version lead on its records, and the data that managers have found missing within a day.
 */
export async function* storeChecks({ redis, store }: Session, now: number): AsyncGenerator<DoctorCheck> {
  const format = await readFormat(redis, store.keys.identity);
  if (format > RECORD_FORMAT)
    yield {
      name: 'Records',
      state: 'bad',
      found: `format ${format}, and this version reads up to ${RECORD_FORMAT}`,
      advice: 'A newer manager has written them: use that newer version, or another CELL.',
    };
  for (const { about, message, at } of await readFindings(redis, store.keys.findings, now))
    yield { name: `Store: ${about}`, state: 'hint', found: `${message} (${at})` };
}
