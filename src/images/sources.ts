import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Paths of our own parts of an image on this machine. */
export interface Sources {
  /** The bundled wrapper; `wrapper.json` next to it lists the other files of the bundle. */
  wrapper: string;
  /** The folder with `confine.c`, `entry`, `gate`, `health` and `lock.sh`. */
  fixed: string;
}

/** The paths in this checkout or package. */
export const SOURCES: Sources = {
  wrapper: fileURLToPath(new URL('../../dist/wrapper.mjs', import.meta.url)),
  fixed: fileURLToPath(new URL('../../worker-base/image/', import.meta.url)),
};

/** Files of the folder that are copied into images, each with its mode. */
export const FIXED_FILES: Readonly<Record<string, number>> = {
  'confine.c': 0o644,
  entry: 0o755,
  gate: 0o755,
  health: 0o755,
  'lock.sh': 0o755,
};

/** sha256 of all of them, in hex. If one is missing, throws an error that says what to do. */
export async function hashSources(sources: Sources): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, content] of await readBundle(sources))
    hash.update(`\0${name}\0${content.length}\0`).update(content);
  const names = (await readdir(sources.fixed)).filter((name) => name in FIXED_FILES).sort();
  for (const name of names) {
    const content = await readFile(`${sources.fixed}/${name}`);
    hash.update(`\0${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * The files of the bundle by name, `wrapper.mjs` first. If one is missing, throws an error that says what to
 * do.
 */
export async function readBundle({ wrapper }: Sources): Promise<Map<string, Buffer>> {
  const folder = dirname(wrapper);
  const own = basename(wrapper);
  const listed = await readFile(join(folder, 'wrapper.json'), 'utf8').catch(() => '[]');
  const others = (JSON.parse(listed) as string[]).filter((name) => name !== own);
  const files = new Map<string, Buffer>();
  for (const name of [own, ...others]) {
    const path = join(folder, name);
    try {
      files.set(name, await readFile(path));
    } catch (error) {
      throw new Error(`${path} is missing, and images cannot be built without it. Run \`npm run build\`.`, {
        cause: error,
      });
    }
  }
  return files;
}
