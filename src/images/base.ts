/** Finds the base image on the engine, and pulls it if it is missing. */
import type Docker from 'dockerode';
import { type DockerClient, EngineRefusal } from '../runtimes/docker/client.ts';
import { readEngineStream } from './engine-stream.ts';
import type { Base } from './recipe.ts';

const OFFICIAL = 'node:24-bookworm-slim';
/** Built by `scripts/base-image.ts` if no registry can be reached; equivalent to the official image. */
const BOOTSTRAPPED = 'worker-base:latest';

/** The base that is present, with the engine's processor; or the name of the one to pull. */
export type FoundBase = { base: Base; arch: string } | { missing: string };

/**
 * `configured` is the operator's choice. Without it, an equivalent image is used if only that one is present.
 * Throws `RuntimeDown` if the engine does not answer.
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

/** Inspects an image; `undefined` if the engine has none with that name. */
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

/** Pulls the base; throws a message that says what to do. */
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
