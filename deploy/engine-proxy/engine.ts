/** Requests of the proxy itself to the engine: whose object it is. */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { isOwned, type Policy } from './bodies.ts';
import type { Match, ObjectKind } from './rules.ts';

/** Requests to an engine wait this long for its answer, in milliseconds. */
const LOOK_MS = 30_000;

/** The engine's error response, such as 404 for an unknown object; it is forwarded to the caller. */
export interface EngineAnswer {
  status: number;
  body: string;
}

export interface EngineObject {
  /** The engine's ID, which no rename changes. */
  id: string;
  owned: boolean;
  /** The engine's description of it. */
  info: Record<string, unknown>;
}

export class Engine {
  readonly socketPath: string;
  readonly agent = new Agent({ keepAlive: true });
  readonly #policy: Policy;

  constructor(socketPath: string, policy: Policy) {
    this.socketPath = socketPath;
    this.#policy = policy;
  }

  /** Inspects the object in the path of a request. An exec belongs to its container. */
  async inspect({ version, object }: Match): Promise<EngineObject | EngineAnswer> {
    const { kind, name } = object ?? { kind: 'container', name: '' };
    const path = PATHS[kind];
    const answer = await this.get(`${version}/${path}/${name}${BARE.has(kind) ? '' : '/json'}`);
    if (answer.status !== 200) return answer;
    const info = JSON.parse(answer.body) as Record<string, unknown>;
    if (kind === 'exec') {
      const container = await this.get(`${version}/containers/${info.ContainerID}/json`);
      if (container.status !== 200) return container;
      return { id: name, info, owned: isOwned(labelsOf(JSON.parse(container.body)), this.#policy) };
    }
    // An image keeps its name, because it is removed by removing its names; all cells share images.
    const image = kind === 'image' || kind === 'built';
    const labels = BARE.has(kind) ? info.Labels : labelsOf(info);
    // A volume has only its name.
    return {
      id: image || kind === 'volume' ? name : String(info.Id),
      info,
      owned: isOwned(labels, image ? {} : this.#policy),
    };
  }

  get(path: string): Promise<EngineAnswer> {
    return new Promise((resolve, reject) => {
      const { socketPath, agent } = this;
      const asked = request({ socketPath, agent, path, timeout: LOOK_MS }, (answer) => {
        text(answer).then((body) => resolve({ status: answer.statusCode ?? 502, body }), reject);
      });
      asked.on('timeout', () => asked.destroy(new Error(`Docker did not answer within ${LOOK_MS} ms`)));
      asked.on('error', reject);
      asked.end();
    });
  }
}

/** Objects that are described at their own path, with their labels at the top. */
const BARE: ReadonlySet<ObjectKind> = new Set(['network', 'volume']);

const PATHS: Record<ObjectKind, string> = {
  container: 'containers',
  exec: 'exec',
  network: 'networks',
  volume: 'volumes',
  image: 'images',
  built: 'images',
};

const labelsOf = (info: { Config?: { Labels?: unknown } }) => info.Config?.Labels;

/** What the manager may see of a container that is not its own: that it has a name which the manager wants to use. */
export function describeForeign({ info }: EngineObject): object {
  const { Id, Name, Created, State, Image, Config } = info as {
    Config?: { Labels?: object; Image?: string };
  } & Record<string, unknown>;
  return { Id, Name, Created, State, Image, Config: { Image: Config?.Image, Labels: Config?.Labels } };
}
