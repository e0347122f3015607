/** The operator's handler files: one directory, which workers read and the manager only looks into. */
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';

export interface Handlers {
  /** HANDLERS_DIR. */
  readonly directory: string | undefined;
  /** Those of them that are named relative to the directory and are not there; all of those where there is none. */
  missing(names: readonly string[]): Promise<string[]>;
}

/** `directory` is the operator's HANDLERS_DIR; nothing is looked at before it is asked for. */
export function openHandlers(directory: string | undefined): Handlers {
  async function missing(names: readonly string[]): Promise<string[]> {
    const relative = names.filter((name) => !isAbsolute(name));
    if (directory === undefined) return relative;
    const present = await Promise.all(
      relative.map((name) =>
        stat(join(directory, name)).then(
          (seen) => seen.isFile(),
          () => false,
        ),
      ),
    );
    return relative.filter((_, at) => !present[at]);
  }
  return { directory, missing };
}
