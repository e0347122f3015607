import { chmod, lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { workerId } from '../../model/index.ts';
import { RuntimeDown } from '../runtime.ts';
import { BodyDirectory } from './body-directory.ts';
import { lostRecord, parseBodyId } from './body-record.ts';
import type { FoundBody } from './found-body.ts';
import { removeTree } from './remove-tree.ts';
import { lstatIfAny, nothing, realpathIfAny } from './safe-file.ts';
import { EVENTS_DIRECTORY } from './watch.ts';
import { WRAPPERS_DIRECTORY } from './wrapper-copy.ts';

/** Others can pass through to a name that they know, but cannot list. */
const PASSABLE = 0o711;
/** An older draft was left by a manager that died while it created a body. */
export const DRAFT_LIFE_MS = 60_000;

/**
 * `<root>/<cell>/`, which holds one directory a body, the folders that workers write, the hints, and drafts whose names
 * begin with a dot.
 */
export class CellDirectory {
  readonly path: string;
  readonly #root: string;
  readonly #cell: string;
  readonly #missed: (found: FoundBody) => void;
  /** The root has existed: if it disappears later, its bodies are unknown, not absent. */
  #rootSeen = false;
  /** Cache of bodies: a record never changes, so a directory is read again only if it was replaced. */
  readonly #known = new Map<string, FoundBody>();

  /** `missed` is called with a body that was seen here before and is gone now. */
  constructor(root: string, cell: string, missed: (found: FoundBody) => void) {
    this.#root = root;
    this.#cell = cell;
    this.#missed = missed;
    this.path = join(root, cell);
  }

  /** Creates it if it does not exist; if `shared`, others can pass through to their folders in it. */
  async open(shared = false): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    // Check it before creating anything in it: a link would lead elsewhere.
    this.exists();
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    const hints = join(this.path, EVENTS_DIRECTORY);
    // A worker that runs as the manager's user may have replaced it; its content is expendable.
    const seen = await lstat(hints).catch(nothing);
    if (seen && !seen.isDirectory()) await rm(hints, { force: true });
    await mkdir(hints, { recursive: true, mode: 0o700 });
    // Workers' folders are below; everything else in these two is for their owner only. Once opened for
    // another user's bodies, they stay open, because those bodies may still be alive.
    if (shared) for (const path of [this.#root, this.path]) await chmod(path, PASSABLE);
    else if (((await lstat(this.path)).mode & 0o777) !== PASSABLE) await chmod(this.path, 0o700);
  }

  /** Whether it exists; throws if it leads out of the root, or if the root is lost. */
  exists(): boolean {
    const real = realpathIfAny(this.#root);
    if (real === undefined) {
      if (!this.#rootSeen) return false;
      throw new RuntimeDown(`the directory ${this.#root} is gone`);
    }
    this.#rootSeen = true;
    const seen = lstatIfAny(join(real, this.#cell));
    if (seen && !seen.isDirectory()) throw new RuntimeDown(`${this.path} is not a directory of its own`);
    return seen !== undefined;
  }

  /** The workers whose names are in use, by bodies or by anything else. */
  async workers(): Promise<string[]> {
    const names = this.exists() ? await readdir(this.path) : [];
    const workers = names.filter((name) => workerId.safeParse(name).success);
    const left = new Set(workers);
    for (const worker of this.#known.keys()) if (!left.has(worker)) this.#forget(worker);
    return workers;
  }

  /** A worker's body in an existing cell; `undefined` if it has none of ours. */
  async read(worker: string): Promise<FoundBody | undefined> {
    const dir = new BodyDirectory(this.path, worker);
    const identity = dir.identity();
    const known = this.#known.get(worker);
    if (identity !== undefined && known?.identity === identity) return known;
    this.#forget(worker);
    if (identity === undefined) return undefined;
    const made = dir.read(this.#cell, worker);
    const id = made ? made.id : await dir.idOf(worker);
    if (id === undefined) return undefined;
    // Do not cache lost bodies: their record may be back at the next check.
    if (!made) return { dir, made: lostRecord(id, this.#cell), lost: 'record' };
    const found = { dir, made, identity };
    this.#known.set(worker, found);
    return found;
  }

  /** The same if neither the name nor the cell was checked before. */
  async body(worker: string): Promise<FoundBody | undefined> {
    if (!workerId.safeParse(worker).success) return undefined;
    if (this.exists()) return this.read(worker);
    this.#forget(worker);
    return undefined;
  }

  /** This exact body; `undefined` if it is gone or replaced by another. */
  async bodyById(bodyId: string): Promise<FoundBody | undefined> {
    const found = await this.body(parseBodyId(bodyId) ?? '');
    return found?.made.id === bodyId ? found : undefined;
  }

  /** Records that we delete the body, so its absence is not a loss. */
  removed(worker: string): void {
    this.#known.delete(worker);
  }

  /** Deletes leftovers of a manager that died while it created or deleted a body. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.path)) {
      const path = join(this.path, name);
      const age = Date.now() - ((await lstat(path).catch(nothing))?.mtimeMs ?? Date.now());
      const left = name.startsWith('.gone-') || (name.startsWith('.new-') && age > DRAFT_LIFE_MS);
      // A failed deletion does no harm and is retried later.
      if (left) await removeTree(path).catch(() => undefined);
    }
  }

  /** Deletes the directory, unless it contains something that is not ours. */
  async remove(): Promise<void> {
    if (!this.exists()) return;
    await this.sweep();
    await rm(join(this.path, EVENTS_DIRECTORY), { recursive: true, force: true });
    if ((await this.workers()).length === 0)
      await removeTree(join(this.path, WRAPPERS_DIRECTORY)).catch(() => undefined);
    await rmdir(this.path).catch(() => undefined);
  }

  #forget(worker: string): void {
    const known = this.#known.get(worker);
    this.#known.delete(worker);
    if (known) this.#missed(known);
  }
}
