import { chmod, lstat, mkdir, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { workerId } from '../../model/index.ts';
import { RuntimeDown } from '../runtime.ts';
import { BodyDirectory, type BodyRecord, nothing, workerOf } from './body-directory.ts';
import { HINTS } from './watch.ts';

/** A draft that is older was left by a manager that died while it made a body. */
const DRAFT_LIFE_MS = 60_000;

/** A body whose directory was found and read. */
export interface Found {
  dir: BodyDirectory;
  made: BodyRecord;
}

/** `<root>/<cell>/`, which holds one directory a body, the hints, and drafts whose names begin with a dot. */
export class CellDirectory {
  readonly path: string;
  readonly #root: string;
  readonly #cell: string;
  /** The root was there once: if it is gone later, its bodies are unknown, not absent. */
  #rootSeen = false;
  /** Bodies that were read before: a record never changes, so a directory that is the same one is not read again. */
  readonly #known = new Map<string, Found & { identity: string }>();

  constructor(root: string, cell: string) {
    this.#root = root;
    this.#cell = cell;
    this.path = join(root, cell);
  }

  /** Makes it where it is not there yet. */
  async open(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    // Looked at before anything is made in it: a link would lead elsewhere.
    await this.exists();
    await mkdir(join(this.path, HINTS), { recursive: true, mode: 0o700 });
    await chmod(this.path, 0o700);
  }

  /** Whether it is there; throws where it leads out of the root, or the root is lost. */
  async exists(): Promise<boolean> {
    const real = await realpath(this.#root).catch(nothing);
    if (real === undefined) {
      if (!this.#rootSeen) return false;
      throw new RuntimeDown(`the directory ${this.#root} is gone`);
    }
    this.#rootSeen = true;
    const seen = await lstat(join(real, this.#cell)).catch(nothing);
    if (seen && !seen.isDirectory()) throw new RuntimeDown(`${this.path} is not a directory of its own`);
    return seen !== undefined;
  }

  /** The workers whose names are taken, by bodies or by anything else. */
  async workers(): Promise<string[]> {
    if (!(await this.exists())) return [];
    const names = (await readdir(this.path)).filter((name) => workerId.safeParse(name).success);
    const left = new Set(names);
    for (const worker of this.#known.keys()) if (!left.has(worker)) this.#known.delete(worker);
    return names;
  }

  /** The body of a worker in a cell that exists, or `undefined` where there is none of ours. */
  async read(worker: string): Promise<Found | undefined> {
    const dir = new BodyDirectory(this.path, worker);
    const identity = await dir.identity();
    if (identity === undefined) return undefined;
    const known = this.#known.get(worker);
    if (known?.identity === identity) return known;
    const made = await dir.read(this.#cell, worker);
    if (!made) return undefined;
    const found = { dir, made, identity };
    this.#known.set(worker, found);
    return found;
  }

  /** The same, where neither the name nor the cell was looked at before. */
  async body(worker: string): Promise<Found | undefined> {
    if (!workerId.safeParse(worker).success || !(await this.exists())) return undefined;
    return this.read(worker);
  }

  /** This very body, or `undefined` where it is gone or another body has its place. */
  async bodyById(bodyId: string): Promise<Found | undefined> {
    const found = await this.body(workerOf(bodyId) ?? '');
    return found?.made.id === bodyId ? found : undefined;
  }

  /** Deletes what a manager left that died while it made or deleted a body. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.path)) {
      const path = join(this.path, name);
      const age = Date.now() - ((await lstat(path).catch(nothing))?.mtimeMs ?? Date.now());
      const left = name.startsWith('.gone-') || (name.startsWith('.new-') && age > DRAFT_LIFE_MS);
      if (left) await rm(path, { recursive: true, force: true });
    }
  }

  /** Deletes it; something in it that is not ours keeps its place, and the directory with it. */
  async remove(): Promise<void> {
    if (!(await this.exists())) return;
    await this.sweep();
    await rm(join(this.path, HINTS), { recursive: true, force: true });
    await rmdir(this.path).catch(() => undefined);
  }
}
