import type { Logger } from 'pino';
import { newerFormatMessage } from '../model/index.ts';

/** Records in a newer format than this program's, which keep this manager from leading. */
export interface FormatWatch {
  /** Their format; `undefined` if this manager can read the records. */
  readonly newer: number | undefined;
  found(newer: number | undefined): void;
}

export function watchFormat(log: Pick<Logger, 'error'>): FormatWatch {
  let newer: number | undefined;
  return {
    get newer() {
      return newer;
    },
    found(format) {
      newer = format;
      if (format !== undefined) log.error({ why: newerFormatMessage(format) }, 'cannot lead');
    },
  };
}
