/**
 * The format of the records in a store. A leader writes it into the store, and a manager whose own format is lower does
 * not lead there, because it could misread them. Increase it if an older manager must not act on records or bodies that
 * this one writes; a field that older managers ignore without harm is not a reason. A store without a format has 1.
 */
export const RECORD_FORMAT = 1;

/** Why a manager must not lead on records of a newer format, and what to do. */
export const newerFormatMessage = (found: number): string =>
  `The records of this cell have format ${found}, and this version reads up to ${RECORD_FORMAT}: a newer manager has written them. This manager does not lead and changes nothing. Use that newer version, or another CELL.`;
