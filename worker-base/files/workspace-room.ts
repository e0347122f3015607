import { parseMemory } from '../../src/model/values/units.ts';
import { MEASURE, measureWorkspace } from './measure-workspace.ts';

/** As long as a measured size is used, in milliseconds. */
const FRESH_MS = 10_000;
/** Measuring must not delay an upload for longer. */
const MEASURE_MS = 5000;

/**
 * How much a workspace may grow until it has the size of its worker's spec. Storage that enforces it refuses more on its own; this is
 * for all other storage.
 */
export class WorkspaceRoom {
  readonly #size: number | undefined;
  readonly #measure: () => ReturnType<typeof measureWorkspace>;
  #last: { at: number; bytes: Promise<number | undefined> } | undefined;

  constructor(options: {
    size: string | undefined;
    workspace: string;
    helperCommand(argv: string[]): string[];
  }) {
    const { size, workspace, helperCommand } = options;
    this.#size = size === undefined ? undefined : parseMemory(size);
    this.#measure = () => measureWorkspace(helperCommand(MEASURE), workspace, MEASURE_MS);
  }

  /** Undefined if there is no limit, or the size cannot be measured. */
  async bytes(): Promise<number | undefined> {
    const size = this.#size;
    if (size === undefined) return undefined;
    const now = performance.now();
    if (!this.#last || now - this.#last.at > FRESH_MS)
      this.#last = { at: now, bytes: this.#measure().then((found) => found?.bytes) };
    const used = await this.#last.bytes;
    return used === undefined ? size : Math.max(0, size - used);
  }

  /** What was measured is no longer right. */
  changed(): void {
    this.#last = undefined;
  }
}
