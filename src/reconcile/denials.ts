/**
 * Counts the commands that agents were denied, from the heartbeats of their wrappers, which have a total per
 * incarnation. In memory; denials that an earlier manager has counted are not counted again. Pure.
 */
import type { Heartbeat } from '../model/index.ts';

export class DenialCounter {
  readonly #counted = new Map<string, { incarnation: number; denied: number }>();

  /** How many are new. `known` is true for a worker that an earlier manager has observed. */
  note(id: string, heartbeat: Pick<Heartbeat, 'incarnation'> & Partial<Heartbeat>, known: boolean): number {
    const denied = heartbeat.denied ?? 0;
    const before = this.#counted.get(id);
    const same = before?.incarnation === heartbeat.incarnation;
    if (same && denied <= before.denied) return 0;
    this.#counted.set(id, { incarnation: heartbeat.incarnation, denied });
    if (before === undefined && known) return 0;
    return denied - (same ? before.denied : 0);
  }

  delete(id: string): void {
    this.#counted.delete(id);
  }
}
