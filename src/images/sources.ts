import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Where the parts of an image that are ours lie on this machine. */
export interface Sources {
  /** The bundled wrapper. */
  wrapper: string;
  /** The folder with `confine.c`, `entry`, `gate` and `lock.sh`. */
  fixed: string;
}

/** Those of this checkout or package. */
export const SOURCES: Sources = {
  wrapper: fileURLToPath(new URL('../../dist/wrapper.mjs', import.meta.url)),
  fixed: fileURLToPath(new URL('../../worker-base/image/', import.meta.url)),
};

/** Files of the folder that go into images, each with its mode there. */
export const FIXED_FILES: Readonly<Record<string, number>> = {
  'confine.c': 0o644,
  entry: 0o755,
  gate: 0o755,
  'lock.sh': 0o755,
};

/** sha256 over all of them, in hex. Throws with what to do where one is missing. */
export async function hashSources(sources: Sources): Promise<string> {
  const hash = createHash('sha256').update(await readWrapper(sources));
  const names = (await readdir(sources.fixed)).filter((name) => name in FIXED_FILES).sort();
  for (const name of names) {
    const content = await readFile(`${sources.fixed}/${name}`);
    hash.update(`\0${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** The bundle's content. */
export async function readWrapper({ wrapper }: Sources): Promise<Buffer> {
  try {
    return await readFile(wrapper);
  } catch (error) {
    throw new Error(`${wrapper} is missing, and no image can be built without it. Run \`npm run build\`.`, {
      cause: error,
    });
  }
}
