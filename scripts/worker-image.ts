/**
 * Builds the worker image: the base plus the bundled wrapper, named `worker:<first 12 of sha256>` over all that goes
 * into it, so that it is built anew only when something has changed.
 *
 * As a program (`node scripts/worker-image.ts`) it prints the image's name.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { ensureBaseImage, follow, isPresent, type Log } from './base-image.ts';
import { bundleWrapper } from './bundle-wrapper.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCKERFILE = join(ROOT, 'worker-base', 'Dockerfile');

/** The worker image's name; it is present when this returns. Throws with what the build said. */
export async function ensureWorkerImage(docker: Docker, log: Log): Promise<string> {
  const base = await ensureBaseImage(docker, log);
  const baseInfo = await docker.getImage(base).inspect();
  const bundle = await bundleWrapper();
  const name = workerImageName(baseInfo.Id, bundle.hash);
  if (await isPresent(docker, name)) return await asLatest(docker, name);
  log(`Building ${name} from ${base} …`);
  const version: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
  const labels = {
    'worker-manager.managed': 'true',
    'org.opencontainers.image.created': new Date().toISOString(),
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.base.name': base,
    'org.opencontainers.image.base.digest': baseInfo.RepoDigests?.[0]?.split('@')[1] ?? baseInfo.Id,
  };
  await build(docker, bundle.path, { t: name, buildargs: { BASE: base }, labels }, log);
  return await asLatest(docker, name);
}

/** The name that a manager takes where it is told none. */
async function asLatest(docker: Docker, name: string): Promise<string> {
  await docker.getImage(name).tag({ repo: 'worker', tag: 'latest' });
  return name;
}

/** `worker:<hash>` over the recipe, the base as the engine knows it, and the wrapper. */
export function workerImageName(baseId: string, bundleHash: string): string {
  const inputs = JSON.stringify([readFileSync(DOCKERFILE, 'utf8'), baseId, bundleHash]);
  return `worker:${createHash('sha256').update(inputs).digest('hex').slice(0, 12)}`;
}

async function build(
  docker: Docker,
  bundle: string,
  options: Docker.ImageBuildOptions,
  log: Log,
): Promise<void> {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const context = mkdtempSync(join(ROOT, '.cache', 'worker-image-'));
  const lines: string[] = [];
  try {
    copyFileSync(DOCKERFILE, join(context, 'Dockerfile'));
    copyFileSync(bundle, join(context, 'wrapper.mjs'));
    const stream = await docker.buildImage(
      { context, src: ['Dockerfile', 'wrapper.mjs'] },
      { ...options, rm: true, forcerm: true },
    );
    await follow(docker, stream, (line) => {
      lines.push(line);
      if (line.startsWith('Step ')) log(line);
    });
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    throw new Error(`${options.t} could not be built: ${why}\n${lines.slice(-20).join('\n')}`, {
      cause: error,
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

if (import.meta.main) console.log(await ensureWorkerImage(new Docker(), console.error));
