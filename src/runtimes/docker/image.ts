import { LABEL } from '../../model/index.ts';
import { DockerClient, EngineRefusal } from './client.ts';
import { isOurs } from './container.ts';

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

export const isOwnEntry = (entrypoint: string | string[] | undefined | null): boolean =>
  (Array.isArray(entrypoint) ? entrypoint[0] : entrypoint) === ENTRY;

/** Which images are ours or made from ours, and so have our users: by the name that only we give, else by what is inside. */
export class KnownImages {
  readonly #client: DockerClient;
  readonly #known = new Map<string, { until: number; ours: boolean }>();

  constructor(client: DockerClient) {
    this.#client = client;
  }

  async isOurs(name: string): Promise<boolean> {
    if (isOurs(name)) return true;
    const known = this.#known.get(name);
    if (known && known.until > performance.now()) return known.ours;
    const ours = await this.#look(name);
    if (ours !== undefined) this.#known.set(name, { until: performance.now() + KNOWN_MS, ours });
    return ours ?? false;
  }

  async #look(name: string): Promise<boolean | undefined> {
    try {
      const { Config } = await this.#client.call('inspect', (docker) => docker.getImage(name).inspect());
      return Config.Labels?.[LABEL.managed] === 'true' && isOwnEntry(Config.Entrypoint);
    } catch (error) {
      // The engine says so itself when a body is made of it.
      if (error instanceof EngineRefusal && error.status === 404) return undefined;
      throw error;
    }
  }
}
