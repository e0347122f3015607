/**
 * Whether the image of a worker is there, or could be: what a choice between runtimes depends on. It builds nothing
 * and pulls nothing; a registry is only asked whether it has the base.
 */
import { errorMessage, type WorkerSpec } from '../model/index.ts';
import { DockerClient } from '../runtimes/docker/client.ts';
import { hasImage } from '../runtimes/docker/image.ts';
import type { Images } from './images.ts';

/** A build that failed so long ago is worth another try. */
const FAILURE_MS = 600_000;
/** How long a registry's answer is taken for true. */
const CACHE_MS = 60_000;
/** A registry that does not answer within this is as good as none. */
const REGISTRY_MS = 5000;

export interface ImageAvailabilityOptions {
  /** `unix:///path`, `/path`, `tcp://host:port`. */
  host: string;
  /** The image that the operator names for all Docker bodies. */
  foreignImage: string | undefined;
  /** Absent if nothing is built. */
  images: Pick<Images, 'state'> | undefined;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Throws why a registry cannot give an image; the engine's own way to it without this. */
  askRegistry?: (name: string) => Promise<void>;
}

/** Answers, for a spec, why its image is neither there nor can be built, in a sentence; `undefined` where it is or can. */
export function createImageAvailability(
  options: ImageAvailabilityOptions,
): (spec: WorkerSpec) => Promise<string | undefined> {
  const {
    host,
    foreignImage,
    images,
    now = Date.now,
    askRegistry = (name) => inspectOnEngine(host, name),
  } = options;
  const cache = new Map<string, { until: number; why: string | undefined }>();

  async function registryObstacle(base: string): Promise<string | undefined> {
    const known = cache.get(base);
    if (known && known.until > now()) return known.why;
    const why = await askRegistry(base).then(
      () => undefined,
      (error) =>
        `The base image ${base} does not exist here, and cannot be pulled (${errorMessage(error).trim()}); pull or load it, or set WORKER_BASE_IMAGE.`,
    );
    cache.set(base, { until: now() + CACHE_MS, why });
    return why;
  }

  return async (spec) => {
    const named = spec.image ?? foreignImage;
    if (named !== undefined || !images) {
      if (named === undefined || (await hasImage(host, named))) return undefined;
      return `Docker has no image ${named}, and images of bodies are never pulled.`;
    }
    const state = await images.state(spec);
    if (state.kind === 'unknown') return `Its image cannot be built: ${state.error}`;
    if (state.kind === 'failed')
      return now() - state.at < FAILURE_MS ? `Its image could not be built: ${state.message}` : undefined;
    // A state that names none of ours is that of the base, which comes first.
    if (state.kind === 'absent' && !state.name.startsWith('worker:')) return registryObstacle(state.name);
    return undefined;
  };
}

async function inspectOnEngine(host: string, name: string): Promise<void> {
  const client = new DockerClient({ host, deadlines: { inspect: REGISTRY_MS } });
  try {
    await client.call('inspect', (docker) => docker.getImage(name).distribution());
  } finally {
    client.close();
  }
}
