import { randomBytes } from 'node:crypto';
import { chmod, lchown, lstat, mkdir, readdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault, type Workspace, workerId } from '../../model/index.ts';
import { DRAFT_LIFE_MS } from './cell-directory.ts';
import { isFolder, ownFolder } from './own-folder.ts';
import type { BodyUser } from './process-user.ts';
import { removeTree } from './remove-tree.ts';
import { errnoCode, nothing } from './safe-file.ts';

/** Subdirectory of the cell for the workspaces, each named by its ID. */
const WORKSPACES = '.workspaces';
/** What is in the folder of a workspace: the files of the worker, and what only the manager can change. */
const FILES = 'workspace';
const ABOUT = 'workspace.json';
/** The worker whose body uses it. */
const USER = 'worker';

const about = z.object({ store: z.string().optional(), created_at: z.number() });

/**
 * The workspaces of one cell, which are folders next to those of the bodies. The agent's user owns only the folder with the
 * files, so an agent can neither replace its workspace nor change what is recorded about it.
 */
export class Workspaces {
  readonly path: string;
  /** What was read about a workspace, which does not change. */
  readonly #known = new Map<string, Workspace>();

  constructor(cellPath: string) {
    this.path = join(cellPath, WORKSPACES);
  }

  /** The files of a workspace: WORKSPACE_PATH of the bodies that use it. */
  files(id: string): string {
    return join(this.path, id, FILES);
  }

  /** Creates it if it does not exist, and records which worker's body uses it now. */
  async ensure({ id, store, created_at }: Workspace, worker: string): Promise<void> {
    await ownFolder(this.path, false);
    const place = join(this.path, id);
    if (!(await isFolder(place))) {
      const draft = this.#temporary('new');
      await mkdir(join(draft, FILES), { recursive: true, mode: 0o700 });
      const text = JSON.stringify({ created_at, ...(store !== undefined && { store }) });
      await writeFile(join(draft, ABOUT), text, { mode: 0o600 });
      await rename(draft, place).catch(async (error: unknown) => {
        await removeTree(draft);
        // Another manager was faster.
        if (!(await isFolder(place))) throw error;
      });
    }
    const draft = join(place, `.${USER}-${randomBytes(6).toString('hex')}`);
    await writeFile(draft, worker, { mode: 0o600 });
    await rename(draft, join(place, USER));
  }

  /** Changes the owner of the folder to the user that its bodies run as. */
  async give(id: string, { uid, gid }: BodyUser): Promise<void> {
    await ownFolder(this.path, true);
    await chmod(join(this.path, id), 0o711);
    await lchown(this.files(id), uid, gid);
  }

  async list(): Promise<Workspace[]> {
    if (!(await isFolder(this.path))) return [];
    const ids = (await readdir(this.path)).filter((name) => workerId.safeParse(name).success);
    const left = new Set(ids);
    for (const id of this.#known.keys()) if (!left.has(id)) this.#known.delete(id);
    return (await Promise.all(ids.map((id) => this.#read(id)))).filter((one) => one !== undefined);
  }

  /** Deletes it; `uses` reports whether the body of that worker uses it. */
  async remove(id: string, uses: (worker: string) => Promise<boolean>): Promise<void> {
    const place = join(this.path, workerId.parse(id));
    if (!(await isFolder(place))) return;
    const user = await readFile(join(place, USER), 'utf8').catch(nothing);
    if (user !== undefined && (await uses(user)))
      throw new Fault('conflict', `The workspace ${id} is in use by the body of worker ${user}.`);
    const gone = this.#temporary('gone');
    await rename(place, gone).catch((error: unknown) => {
      if (errnoCode(error) !== 'ENOENT') throw error;
    });
    this.#known.delete(id);
    await removeTree(gone);
  }

  /** Deletes what a manager that died has left. */
  async sweep(): Promise<void> {
    if (!(await isFolder(this.path))) return;
    for (const name of await readdir(this.path)) {
      const path = join(this.path, name);
      const age = Date.now() - ((await lstat(path).catch(nothing))?.mtimeMs ?? Date.now());
      const left = name.startsWith('.gone-') || (name.startsWith('.new-') && age > DRAFT_LIFE_MS);
      // A failed deletion does no harm and is retried later.
      if (left) await removeTree(path).catch(() => undefined);
    }
  }

  /** Deletes all of them. */
  async dismantle(): Promise<void> {
    for (const { id } of await this.list()) await this.remove(id, async () => false);
    await this.sweep();
    await rmdir(this.path).catch(() => undefined);
  }

  async #read(id: string): Promise<Workspace | undefined> {
    const known = this.#known.get(id);
    if (known) return known;
    const place = join(this.path, id);
    const text = await readFile(join(place, ABOUT), 'utf8').catch(nothing);
    const read = about.safeParse(parseJson(text ?? ''));
    if (read.success) {
      this.#known.set(id, { id, ...read.data });
      return { id, ...read.data };
    }
    const born = (await lstat(place).catch(nothing))?.birthtimeMs;
    return born === undefined ? undefined : { id, created_at: born };
  }

  #temporary(kind: 'new' | 'gone'): string {
    return join(this.path, `.${kind}-${randomBytes(6).toString('hex')}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
