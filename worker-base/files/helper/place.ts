/**
 * Finds files below the workspace, without ever leaving it, whatever an agent does to the folders meanwhile.
 *
 * Each folder of a path is opened separately, relative to its opened parent (`/proc/self/fd/N/name`, which the kernel resolves like
 * openat(2)), and never through a symbolic link. Links are read and followed here, if they stay in the workspace. So a
 * folder that is replaced by a link between two steps is an error, and not a way out. Only Linux has this.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
} from 'node:fs';
import { encodeFilePath, isParentName, splitPath } from '../../../src/model/doors/file-path.ts';
import { fileFault, outside } from './file-fault.ts';
import { groupIn } from './group.ts';

/** open(2): only a place in the tree, which needs no permission to read. Node has no name for it. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;
/** As the kernel's own limit. */
const MOST_LINKS = 40;

/** The folder itself, as a name in it. */
const SELF = Buffer.from('.');

/** The path of a name in an opened folder, or of the folder itself. */
export const inFolder = (fd: number, name: Buffer = SELF): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name]);

/** Opens a folder by its name in another one, never through a link. Close it. */
export const openFolder = (fd: number, name: Buffer): number =>
  openSync(inFolder(fd, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);

/** A name in an opened folder of the workspace. */
export interface FilePlace {
  /** The folder. Closed with the place. */
  folder: number;
  /** Undefined for the workspace itself, which is then `folder`. */
  name: Buffer | undefined;
  /** From the workspace, percent-encoded. */
  path: string;
  /** For system calls. */
  file: Buffer;
  /** The file at this place; undefined if there is none. A link is not followed. */
  stats(): BigIntStats | undefined;
  close(): void;
}

export interface LocateOptions {
  /** Follow a link that the path ends with. */
  follow: boolean;
  /** Create missing folders. */
  parents?: boolean;
}

export class WorkspaceFolder {
  readonly #path: string;
  #root: number;

  /** Opens the folder, which stays open. */
  constructor(path: string) {
    this.#path = path;
    this.#root = openSync(path, O_PATH | O_DIRECTORY);
  }

  /** Opens the folder again if it was removed and created again. */
  #refresh(): void {
    if (fstatSync(this.#root).nlink > 0) return;
    const old = this.#root;
    this.#root = openSync(this.#path, O_PATH | O_DIRECTORY);
    closeSync(old);
  }

  /** Throws a Fault, or an error of the system. */
  find(
    given: { names: readonly Buffer[]; absolute: boolean },
    { follow, parents }: LocateOptions,
  ): FilePlace {
    const shown = `${given.absolute ? '/' : ''}${encodeFilePath(given.names)}`;
    this.#refresh();
    const left = [...(given.absolute ? this.#relative(given.names, shown) : given.names)];
    const opened: { fd: number; name: Buffer }[] = [];
    const top = () => opened.at(-1)?.fd ?? this.#root;
    let links = 0;
    let made: Buffer | undefined;
    const splice = (target: Buffer) => {
      links += 1;
      if (links > MOST_LINKS) throw fileFault('ELOOP', shown);
      const names = splitPath(target);
      if (target[0] === 0x2f) {
        left.unshift(...this.#relative(names, shown));
        for (const { fd } of opened.splice(0)) closeSync(fd);
      } else left.unshift(...names);
    };
    try {
      for (let name = left.shift(); name; name = left.shift()) {
        if (isParentName(name)) {
          const last = opened.pop();
          if (!last) throw outside(shown);
          closeSync(last.fd);
          continue;
        }
        const here = inFolder(top(), name);
        if (left.length === 0) {
          const target = follow ? readLink(here) : undefined;
          if (target) {
            splice(target);
            continue;
          }
          const names = [...opened.map((one) => one.name), name];
          return this.#place(opened, name, encodeFilePath(names));
        }
        try {
          opened.push({ fd: openFolder(top(), name), name });
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (code === 'ENOENT' && parents && made !== name) {
            makeFolder(top(), name);
            made = name;
            left.unshift(name);
            continue;
          }
          const target = code === 'ENOTDIR' || code === 'ELOOP' ? readLink(here) : undefined;
          if (!target) throw error;
          splice(target);
        }
      }
      return this.#ofFolder(opened);
    } catch (error) {
      for (const { fd } of opened) closeSync(fd);
      throw error;
    }
  }

  /** A path that ends at a folder which is open already. */
  #ofFolder(opened: { fd: number; name: Buffer }[]): FilePlace {
    const last = opened.pop();
    if (!last) return this.#place([], undefined, '');
    closeSync(last.fd);
    const names = [...opened.map(({ name }) => name), last.name];
    return this.#place(opened, last.name, encodeFilePath(names));
  }

  #place(opened: { fd: number; name: Buffer }[], name: Buffer | undefined, path: string): FilePlace {
    const own = opened.pop();
    for (const { fd } of opened) closeSync(fd);
    const folder = own?.fd ?? this.#root;
    const file = inFolder(folder, name);
    return {
      folder,
      name,
      path,
      file,
      stats: () => statsOf(file),
      close: () => own && closeSync(own.fd),
    };
  }

  /** The names of an absolute path from the workspace on. */
  #relative(names: readonly Buffer[], shown: string): Buffer[] {
    const own = splitPath(Buffer.from(this.#path));
    if (!own.every((name, at) => names[at]?.equals(name))) throw outside(shown);
    return names.slice(own.length);
  }
}

export function statsOf(file: Buffer): BigIntStats | undefined {
  return lstatSync(file, { bigint: true, throwIfNoEntry: false });
}

/** The target of a symbolic link; undefined if it is none. */
function readLink(file: Buffer): Buffer | undefined {
  try {
    return readlinkSync(file, { encoding: 'buffer' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EINVAL' || code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Creates a folder that may exist already. */
export function makeFolder(fd: number, name: Buffer, mode = 0o777): boolean {
  const file = inFolder(fd, name);
  try {
    mkdirSync(file, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  const group = groupIn(fd);
  if (group !== undefined) lchownSync(file, -1, group);
  return true;
}
