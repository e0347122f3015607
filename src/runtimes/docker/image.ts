import { LABEL } from '../../model/index.ts';
import { DockerClient, EngineRefusal } from './client.ts';
import { isBuiltImage } from './container.ts';
import { WORKSPACE } from './profile.ts';

/** Whether the engine has an image with that name; throws `RuntimeDown` if the engine does not answer. */
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

/** The entry point of our images, and of images built from them. */
const ENTRY = '/worker/entry';
/** How long an image's properties are cached: its tag may move to another image. */
const KNOWN_MS = 60_000;

/** Whether an image starts the wrapper or its entry; another program would run without reports. */
export function startsWrapper(config: {
  Entrypoint?: string | string[] | undefined;
  Cmd?: string[] | undefined;
}): boolean {
  const words = [config.Entrypoint ?? [], config.Cmd ?? []].flat();
  return words.some((word) => word.includes(ENTRY) || word.includes('wrapper.mjs'));
}

export const isOwnEntry = (entrypoint: string | string[] | undefined | null): boolean =>
  (Array.isArray(entrypoint) ? entrypoint[0] : entrypoint) === ENTRY;

/** An absolute path from the image's environment, or that of our images. */
function workspacePath(env: string[] | undefined | null): string {
  const set = env?.find((entry) => entry.startsWith('WORKSPACE_PATH=/'));
  return set?.slice('WORKSPACE_PATH='.length) ?? WORKSPACE;
}

interface Known {
  /** It is ours or built from ours, and so has our users. */
  ours: boolean;
  /** It starts the wrapper, according to its configuration. */
  wrapped: boolean;
  /** Its WORKSPACE_PATH. */
  workspace: string;
}

/** Properties of images: by the name that only we assign, or else by content. */
export class KnownImages {
  readonly #client: DockerClient;
  readonly #known = new Map<string, Known & { until: number }>();

  constructor(client: DockerClient) {
    this.#client = client;
  }

  /** The engine itself reports a missing image when a body is created from it. */
  async get(name: string): Promise<Known> {
    if (isBuiltImage(name)) return { ours: true, wrapped: true, workspace: WORKSPACE };
    const known = this.#known.get(name);
    if (known && known.until > performance.now()) return known;
    const found = await this.#inspect(name);
    if (found) this.#known.set(name, { until: performance.now() + KNOWN_MS, ...found });
    return found ?? { ours: false, wrapped: true, workspace: WORKSPACE };
  }

  async #inspect(name: string): Promise<Known | undefined> {
    try {
      const { Config } = await this.#client.call('inspect', (docker) => docker.getImage(name).inspect());
      const ours = Config.Labels?.[LABEL.managed] === 'true' && isOwnEntry(Config.Entrypoint);
      return { ours, wrapped: ours || startsWrapper(Config), workspace: workspacePath(Config.Env) };
    } catch (error) {
      // The engine itself reports this when a body is created from it.
      if (error instanceof EngineRefusal && error.status === 404) return undefined;
      throw error;
    }
  }
}
