/** The checks of `doctor` about the data in the store. */
import { RECORD_FORMAT } from '../../model/index.ts';
import { readFindings, readFormat } from '../../store/index.ts';
import type { Session } from '../session.ts';
import type { DoctorCheck } from './doctor-check.ts';

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
