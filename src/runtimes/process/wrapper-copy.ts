/**
 * The copy of the wrapper's files from which bodies run. A wrapper loads most of its parts when they are first used, such as
 * terminals, and an upgrade replaces the files of the package: without the copy, bodies that outlive the upgrade would
 * lose these parts.
 */
import { createHash, randomUUID } from 'node:crypto';
import { access, chmod, constants, copyFile, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from './remove-tree.ts';

/** The folder of the copies in the folder of a cell. */
export const WRAPPERS_DIRECTORY = '.wrappers';
/** The list of the wrapper's files beside it, which `scripts/bundle-wrapper.ts` writes. */
const LIST = 'wrapper.json';
/** The program that decides about commands of agents; the wrapper looks for it beside itself. */
const GATE = 'gate';
/** Begins the name of a copy that is being made; an older one is that of a killed manager. */
const DRAFT = '.new-';
const DRAFT_MS = 3_600_000;
/** Bodies may run as another user, which must not change them. */
const OPEN = 0o755;

export class WrapperCopy {
  readonly #cellPath: string;
  readonly #argv: readonly string[];
  /** The wrapper's path in the copy; undefined if nothing can be executed there. */
  #copy: Promise<string | undefined> | undefined;

  /** `argv` is the command of a body; its last word is the wrapper. */
  constructor(cellPath: string, argv: readonly string[]) {
    this.#cellPath = cellPath;
    this.#argv = argv;
  }

  /** The command of a new body. Without a copy, as on a full disk or one without `exec`, it is that of the package. */
  async argv(): Promise<string[]> {
    try {
      this.#copy ??= this.#make();
      const path = await this.#copy;
      if (path === undefined) return [...this.#argv];
      await access(path);
      return [...this.#argv.slice(0, -1), path];
    } catch {
      // Made again for the next body.
      this.#copy = undefined;
      return [...this.#argv];
    }
  }

  async #make(): Promise<string | undefined> {
    const from = dirname(this.#argv.at(-1) ?? '');
    const files = JSON.parse(await readFile(join(from, LIST), 'utf8')) as string[];
    const sources = new Map(files.map((file) => [file, join(from, file)]));
    const gate = join(from, '..', 'worker-base', 'image', GATE);
    if (await exists(gate)) sources.set(GATE, gate);
    const name = await hashOf(sources);
    const all = join(this.#cellPath, WRAPPERS_DIRECTORY);
    const copy = join(all, name);
    const copied = new Map([...sources.keys()].map((file) => [file, join(copy, file)]));
    // After a crash of the machine, files may be there without their content.
    if ((await hashOf(copied).catch(() => undefined)) !== name) {
      await makeOpen(all);
      const draft = join(all, `${DRAFT}${randomUUID()}`);
      for (const [file, source] of sources) {
        const to = join(draft, file);
        await makeOpen(dirname(to));
        await copyFile(source, to);
        await chmod(to, OPEN);
      }
      await removeTree(copy);
      // Another manager may have made the same meanwhile.
      await rename(draft, copy).catch(() => removeTree(draft));
      await this.#removeOthers(all, name);
    }
    return onlyIfExecutable(join(copy, 'wrapper.mjs'));
  }

  /** Removes the copies of other versions from which no body runs any more. */
  async #removeOthers(all: string, current: string): Promise<void> {
    const bodies = (await readdir(this.#cellPath)).filter((name) => !name.startsWith('.'));
    const records = await Promise.all(
      bodies.map((name) => readFile(join(this.#cellPath, name, 'body.json'), 'utf8').catch(() => '')),
    );
    for (const name of await readdir(all)) {
      const path = join(all, name);
      const isUsed = name === current || records.some((record) => record.includes(join(path, 'wrapper.mjs')));
      const isNew = name.startsWith(DRAFT) && Date.now() - (await stat(path)).mtimeMs < DRAFT_MS;
      if (!isUsed && !isNew) await removeTree(path).catch(() => undefined);
    }
  }
}

async function hashOf(files: ReadonlyMap<string, string>): Promise<string> {
  const hash = createHash('sha256');
  for (const [file, path] of files) hash.update(`${file}\0`).update(await readFile(path));
  return hash.digest('hex').slice(0, 16);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** On a file system that is mounted with `noexec`, neither the gate nor the addon for terminals can be used. */
const onlyIfExecutable = (path: string): Promise<string | undefined> =>
  access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  );

async function makeOpen(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, OPEN);
}
