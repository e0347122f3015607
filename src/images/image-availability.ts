/**
 * Whether a worker's image is present, or can be built; the choice between runtimes depends on it. Builds and
 * pulls nothing; only checks whether a registry has the base.
 */
import { errorMessage, type WorkerSpec } from '../model/index.ts';
import { DockerClient } from '../runtimes/docker/client.ts';
import { hasImage } from '../runtimes/docker/image.ts';
import type { Images } from './images.ts';

/** Age after which a failed build is worth another attempt. */
const FAILURE_MS = 600_000;
/** How long a registry's answer is cached. */
const CACHE_MS = 60_000;
/** Timeout of a registry; after it, the registry counts as unavailable. */
const REGISTRY_MS = 5000;

export interface ImageAvailabilityOptions {
  /** `unix:///path`, `/path`, `tcp://host:port`. */
  host: string;
  /** The operator's image for all Docker bodies. */
  foreignImage: string | undefined;
  /** Absent if no images are built. */
  images: Pick<Images, 'state'> | undefined;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Throws if a registry cannot provide an image; defaults to the engine's own check. */
  askRegistry?: (name: string) => Promise<void>;
}

/** Returns why a spec's image is neither present nor buildable; `undefined` if it is either. */
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
    // A state that names none of our images is that of the base, which comes first.
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
