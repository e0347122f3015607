import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorMessage } from '../model/index.ts';
import { renderDockerfile } from './dockerfile.ts';
import type { Recipe } from './recipe.ts';
import { FIXED_FILES, readBundle, SOURCES, type Sources } from './sources.ts';

export interface BuildContextOptions {
  sources?: Sources;
  /** File with the CA certificates for package registries during the build; none if absent. */
  ca?: string | undefined;
}

/**
 * Creates a folder with everything that `docker build` needs for the recipe's image. The certificates are the
 * only part that comes from this machine.
 */
export async function writeBuildContext(
  recipe: Recipe,
  directory: string,
  { sources = SOURCES, ca }: BuildContextOptions = {},
): Promise<void> {
  const bundle = await readBundle(sources);
  const certificates = ca === undefined ? '' : await readCertificates(ca);
  await mkdir(directory, { recursive: true });
  const put = async (name: string, content: string | Buffer, mode = 0o644) => {
    const path = join(directory, name);
    await writeFile(path, content);
    // File modes are part of the image and must not depend on the umask.
    await chmod(path, mode);
  };
  await put('Dockerfile', renderDockerfile(recipe));
  for (const folder of new Set([...bundle.keys()].map((name) => dirname(join('wrapper', name))))) {
    await mkdir(join(directory, folder), { recursive: true });
    await chmod(join(directory, folder), 0o755);
  }
  for (const [name, content] of bundle) await put(join('wrapper', name), content);
  await put('ca.crt', certificates);
  // Separate files, so that no external name becomes part of a command.
  if (recipe.packages) await put('packages.txt', lines(recipe.packages));
  if (recipe.requirements) await put('requirements.txt', lines(recipe.requirements));
  for (const [name, mode] of Object.entries(FIXED_FILES)) {
    if (name === 'lock.sh' && !recipe.locked) continue;
    await put(name, await readFile(join(sources.fixed, name)), mode);
  }
}

const lines = (list: string[]) => list.map((line) => `${line}\n`).join('');

async function readCertificates(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(
      `The certificates for the build, ${path}, cannot be read: ${errorMessage(error)}. Set WORKER_BUILD_CA to a readable file.`,
      { cause: error },
    );
  }
}
