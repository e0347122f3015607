import { lchown, lstat, mkdir, readdir, rm, rmdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type BodyRecord, parseBodyId } from './body-record.ts';
import { isFolder, ownFolder } from './own-folder.ts';
import { type BodyUser, ownName } from './process-user.ts';
import { removeTree } from './remove-tree.ts';
import { nothing } from './safe-file.ts';
import { Workspaces } from './workspaces.ts';

/** Subdirectory of the cell for the folders that workers write, each named by its body's ID. */
const WORK = '.work';
/**
 * A pipe in the body's folder, in memory or on disk. The wrapper creates it, and a folder `secrets` next to
 * it.
 */
const PIPE = 'secrets.pipe';
const SECRETS = 'secrets';
/** The socket of the body's door, in the same folder; the wrapper creates it. */
const DOOR = 'door';
/** `f_type` of tmpfs and ramfs in statfs(2). */
const MEMORY_FILE_SYSTEMS = new Set([0x01021994, 0x858458f6]);

/**
 * Paths of a body that its worker can write. All are derived from the body's ID; none is read from a file.
 */
export interface WorkPlaces {
  /** WORKSPACE_PATH. */
  workspace: string;
  /** HOME of a body that runs as another user. */
  home: string;
  /** SECRETS_PIPE. */
  pipe: string;
  /** The folder for the secrets that the wrapper places. */
  secrets: string;
  /** WORKER_DOOR. */
  door: string;
}

/**
 * The work folders of one cell: on disk next to the manager's, and in memory for data that must not be on
 * disk.
 */
export class WorkDirectories {
  readonly #cellPath: string;
  readonly workspaces: Workspaces;
  #memory: Promise<string | undefined> | undefined;

  constructor(cellPath: string) {
    this.#cellPath = cellPath;
    this.workspaces = new Workspaces(cellPath);
  }

  /** The parent of all of them, on disk. */
  get path(): string {
    return join(this.#cellPath, WORK);
  }

  /** The paths of a body, for any layout version. */
  async of({ id, worker_id, layout, workspace }: BodyRecord): Promise<WorkPlaces> {
    const disk = layout === 2 ? join(this.path, id) : join(this.#cellPath, worker_id);
    const memory = layout === 2 ? await this.#memoryRoot() : undefined;
    const hidden = memory === undefined ? disk : join(memory, id);
    return {
      workspace: workspace === undefined ? join(disk, 'workspace') : this.workspaces.files(workspace),
      home: join(disk, 'home'),
      pipe: join(hidden, PIPE),
      secrets: join(hidden, SECRETS),
      door: join(hidden, DOOR),
    };
  }

  /** Creates the folders of a new body, and its workspace if that does not exist. */
  async make(made: BodyRecord): Promise<void> {
    const memory = await this.#memoryRoot();
    await ownFolder(this.path, false);
    if (memory !== undefined) await ownFolder(memory, false);
    for (const folder of await this.#foldersOf(made)) await mkdir(folder, { mode: 0o700 });
    const { workspace: id, worker_id, store, created_at } = made;
    if (id !== undefined) await this.workspaces.ensure({ id, store, created_at }, worker_id);
  }

  /** Changes the owner of the folders of an unstarted body to the user that it runs as. */
  async give(made: BodyRecord, { name, uid, gid }: BodyUser): Promise<void> {
    const memory = await this.#memoryRoot();
    await ownFolder(this.path, true);
    if (memory !== undefined) await ownFolder(memory, true);
    for (const folder of await this.#foldersOf(made)) await lchown(folder, uid, gid);
    if (made.workspace !== undefined) await this.workspaces.give(made.workspace, { name, uid, gid });
  }

  async #foldersOf({ id, workspace }: BodyRecord): Promise<string[]> {
    const memory = await this.#memoryRoot();
    const disk = join(this.path, id);
    const hidden = memory === undefined ? [] : [join(memory, id)];
    const own = workspace === undefined ? [join(disk, 'workspace')] : [];
    return [disk, ...own, join(disk, 'home'), ...hidden];
  }

  /** Deletes the remaining secrets of an ended body. */
  async removeSecrets(made: BodyRecord): Promise<void> {
    const { pipe, secrets } = await this.of(made);
    for (const path of [pipe, secrets]) await rm(path, { recursive: true, force: true });
  }

  /** Deletes all of a body's folders. */
  async remove(bodyId: string): Promise<void> {
    const memory = await this.#memoryRoot();
    for (const parent of [this.path, memory])
      if (parent !== undefined && (await isFolder(parent))) await removeTree(join(parent, bodyId));
  }

  /** The bodies that have folders on disk, with their creation times (milliseconds since 1970). */
  async list(): Promise<{ id: string; since: number }[]> {
    if (!(await isFolder(this.path))) return [];
    const ids = (await readdir(this.path)).filter((name) => parseBodyId(name) !== undefined);
    const found = await Promise.all(
      ids.map(async (id) => ({ id, since: (await lstat(join(this.path, id)).catch(nothing))?.birthtimeMs })),
    );
    return found.flatMap(({ id, since }) => (since === undefined ? [] : [{ id, since }]));
  }

  /** Removes the parent directories, unless another body or cell uses them. */
  async dismantle(): Promise<void> {
    for (const parent of [this.path, await this.#memoryRoot()])
      if (parent !== undefined) await rmdir(parent).catch(() => undefined);
    this.#memory = undefined;
  }

  /**
   * This user's folder in memory; `undefined` if there is no safe one, in which case secrets stay on disk.
   */
  #memoryRoot(): Promise<string | undefined> {
    this.#memory ??= findMemory();
    return this.#memory;
  }
}

/**
 * A directory of this user in an in-memory file system: /run for root, /dev/shm for others. systemd empties
 * /dev/shm of a user's files at logout, unless lingering is enabled for the user.
 */
async function findMemory(): Promise<string | undefined> {
  const uid = process.getuid?.();
  if (process.platform !== 'linux' || uid === undefined) return undefined;
  for (const parent of uid === 0 ? ['/run', '/dev/shm'] : ['/dev/shm']) {
    const type = (await statfs(parent).catch(() => undefined))?.type;
    if (type === undefined || !MEMORY_FILE_SYSTEMS.has(type)) continue;
    if (uid !== 0 && (await isFolder('/run/systemd/system')) && !(await lingers())) continue;
    const path = join(parent, `worker-manager-${uid}`);
    try {
      await ownFolder(path, false);
      return path;
    } catch {
      // Owned by another process, or not writable.
    }
  }
  return undefined;
}

/** Whether logind keeps this user's files after logout. */
async function lingers(): Promise<boolean> {
  return (await lstat(join('/var/lib/systemd/linger', ownName())).catch(() => undefined)) !== undefined;
}
