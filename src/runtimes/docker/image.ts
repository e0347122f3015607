import { LABEL } from '../../model/index.ts';
import { DockerClient, EngineRefusal } from './client.ts';
import { isBuiltImage } from './container.ts';

/** Whether the engine has an image of that name; throws `RuntimeDown` where the engine does not answer. */
export async function hasImage(host: string, image: string): Promise<boolean> {
  const client = new DockerClient({ host });
  try {
    await client.call('inspect', (docker) => docker.getImage(image).inspect());
    return true;
  } catch (error) {
    if (error instanceof EngineRefusal && error.status === 404) return false;
    throw error;
  } finally {
    client.close();
  }
}

/** The first program of our images; what is built from them starts with it too. */
const ENTRY = '/worker/entry';
/** How long what an image is is taken for true: a tag may be given to another one. */
const KNOWN_MS = 60_000;

/** Whether what an image starts names the wrapper or its entry; another program would run unreported. */
export function startsWrapper(config: {
  Entrypoint?: string | string[] | undefined;
  Cmd?: string[] | undefined;
}): boolean {
  const words = [config.Entrypoint ?? [], config.Cmd ?? []].flat();
  return words.some((word) => word.includes(ENTRY) || word.includes('wrapper.mjs'));
}

export const isOwnEntry = (entrypoint: string | string[] | undefined | null): boolean =>
  (Array.isArray(entrypoint) ? entrypoint[0] : entrypoint) === ENTRY;

interface Known {
  /** It is ours or made from ours, and so has our users. */
  ours: boolean;
  /** What it starts is the wrapper, as far as its configuration says. */
  wrapped: boolean;
}

/** What is known of images: by the name that only we give, else by what is inside. */
export class KnownImages {
  readonly #client: DockerClient;
  readonly #known = new Map<string, Known & { until: number }>();

  constructor(client: DockerClient) {
    this.#client = client;
  }

  /** Of an image that is not there, the engine itself says so when a body is made of it. */
  async get(name: string): Promise<Known> {
    if (isBuiltImage(name)) return { ours: true, wrapped: true };
    const known = this.#known.get(name);
    if (known && known.until > performance.now()) return known;
    const found = await this.#inspect(name);
    if (found) this.#known.set(name, { until: performance.now() + KNOWN_MS, ...found });
    return found ?? { ours: false, wrapped: true };
  }

  async #inspect(name: string): Promise<Known | undefined> {
    try {
      const { Config } = await this.#client.call('inspect', (docker) => docker.getImage(name).inspect());
      const ours = Config.Labels?.[LABEL.managed] === 'true' && isOwnEntry(Config.Entrypoint);
      return { ours, wrapped: ours || startsWrapper(Config) };
    } catch (error) {
      // The engine says so itself when a body is made of it.
      if (error instanceof EngineRefusal && error.status === 404) return undefined;
      throw error;
    }
  }
}
