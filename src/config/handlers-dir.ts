/** The operator's handler files: one directory, which workers read and the manager only lists. */
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';

export interface Handlers {
  /** HANDLERS_DIR. */
  readonly directory: string | undefined;
  /** The files with names relative to the directory that do not exist; all of them if there is no directory. */
  missing(names: readonly string[]): Promise<string[]>;
}

/** `directory` is the operator's HANDLERS_DIR; it is not read before a call. */
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
