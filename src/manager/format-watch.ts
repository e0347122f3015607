import type { Logger } from 'pino';
import { newerFormatMessage } from '../model/index.ts';

/** Records in a newer format than this program's, which keep this manager from leading. */
export interface FormatWatch {
  /** Their format; `undefined` if this manager can read the records. */
  readonly newer: number | undefined;
  /** Why this manager must not write; `undefined` if it may. */
  readonly refusal: string | undefined;
  found(newer: number | undefined): void;
}

export function watchFormat(log: Pick<Logger, 'error'>): FormatWatch {
  let newer: number | undefined;
  return {
    get newer() {
      return newer;
    },
    get refusal() {
      return newer === undefined ? undefined : newerFormatMessage(newer);
    },
    found(format) {
      newer = format;
      if (format !== undefined) log.error({ why: newerFormatMessage(format) }, 'cannot lead');
    },
  };
}
