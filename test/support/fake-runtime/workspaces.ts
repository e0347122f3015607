import { persists, type Workspace } from '../../../src/model/index.ts';
import type { BodyOrder } from '../../../src/runtimes/runtime.ts';
import { nameOf } from './names.ts';

type Held = Workspace & { cell: string; files: Set<string> };

/** The workspaces of the fake engine: each is a set of names. */
export class FakeWorkspaces {
  readonly #held = new Map<string, Held>();

  /** The workspace of an order, which is made where it is missing; `undefined` where its files end with the body. */
  ensure(
    cell: string,
    { spec, workspace, worker_id, store }: BodyOrder,
    created_at: number,
  ): Held | undefined {
    if (!persists(spec)) return undefined;
    const id = workspace ?? worker_id;
    const held = this.#held.get(nameOf(cell, id));
    if (held) return held;
    const made = { id, created_at, cell, files: new Set<string>(), ...(store !== undefined && { store }) };
    this.#held.set(nameOf(cell, id), made);
    return made;
  }

  list(cell: string): Workspace[] {
    return [...this.#held.values()].flatMap(({ cell: of, files: _, ...one }) => (of === cell ? one : []));
  }

  remove(cell: string, id: string): void {
    this.#held.delete(nameOf(cell, id));
  }

  clear(cell: string): void {
    for (const { id } of this.list(cell)) this.remove(cell, id);
  }
}
