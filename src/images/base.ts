/** Which image the others stand on, as the engine knows it, and how it gets there where it is missing. */
import type Docker from 'dockerode';
import { type DockerClient, EngineRefusal } from '../runtimes/docker/client.ts';
import { readEngineStream } from './engine-stream.ts';
import type { Base } from './recipe.ts';

const OFFICIAL = 'node:24-bookworm-slim';
/** Made by `scripts/base-image.ts` if no registry can be reached; equal to the official one. */
const BOOTSTRAPPED = 'worker-base:latest';

/** The base that is there, with the engine's processor; or the name of the one that has to be pulled. */
export type FoundBase = { base: Base; arch: string } | { missing: string };

/**
 * `configured` is the operator's choice; for the official one an equal image is taken where only that is there. Throws `RuntimeDown` where the engine does not answer.
 */
export async function findBase(client: DockerClient, configured: string | undefined): Promise<FoundBase> {
  const wanted = configured ?? OFFICIAL;
  for (const name of wanted === OFFICIAL ? [OFFICIAL, BOOTSTRAPPED] : [wanted]) {
    const found = await inspectImage(client, name);
    if (!found) continue;
    const repository = name.replace(/(@.*|:[^/]*)$/, '');
    const digests = found.RepoDigests ?? [];
    const own = digests.find((digest) => digest.startsWith(`${repository}@`)) ?? digests[0];
    return { base: { name, digest: own?.split('@')[1] ?? found.Id }, arch: found.Architecture };
  }
  return { missing: wanted };
}

/** What the engine knows of an image; `undefined` where it has none of that name. */
export async function inspectImage(
  client: DockerClient,
  name: string,
): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await client.call('inspect', (docker) => docker.getImage(name).inspect());
  } catch (error) {
    if (error instanceof EngineRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/** Pulls the base; throws a sentence with what to do. */
export async function pullBase(docker: Docker, name: string, signal: AbortSignal): Promise<void> {
  try {
    const stream = await docker.pull(name, { abortSignal: signal });
    for await (const { error } of readEngineStream(stream)) if (error) throw new Error(error);
  } catch (error) {
    throw new Error(
      `The base image ${name} does not exist here and could not be pulled: ${(error as Error).message.trim()} ` +
        'Pull or load it, or set WORKER_BASE_IMAGE to an image with Debian bookworm, Node 24 and npm.',
      { cause: error },
    );
  }
}
