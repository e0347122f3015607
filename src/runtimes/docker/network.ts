import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { NetworkInspectInfo } from 'dockerode';
import { LABEL } from '../../model/index.ts';
import { BodyRefused, RuntimeDown } from '../runtime.ts';
import { type DockerClient, EngineRefusal } from './client.ts';
import { readInfo } from './info.ts';
import { cellFilter, cellLabels, networkName } from './names.ts';

/** Bodies of a cell can reach the outside but not each other. */
const OPTIONS = { 'com.docker.network.bridge.enable_icc': 'false' };

/**
 * An engine removes an endpoint just after it reports that the body is gone; one that stays longer belongs to
 * a body.
 */
const DETACH_MS = 3000;
const AGAIN_MS = 50;

/** The cell's own bridge network, created once, on demand. */
export class CellNetwork {
  readonly name: string;
  readonly #client: DockerClient;
  readonly #cell: string;
  #ready: Promise<void> | undefined;

  constructor(client: DockerClient, cell: string) {
    this.#client = client;
    this.#cell = cell;
    this.name = networkName(cell);
  }

  /**
   * Creates the network for the store with that identity if it is missing. Caches that it exists until
   * `forget`.
   */
  async ensure(store?: string): Promise<void> {
    this.#ready ??= this.#make(store);
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
  }

  /** Call this when the engine reports that the network is gone. */
  forget(): void {
    this.#ready = undefined;
  }

  /** Removes it, and any duplicates that a race has left. Throws while bodies use it. */
  async remove(): Promise<void> {
    this.forget();
    const deadline = performance.now() + DETACH_MS;
    for (const { Id } of await this.#list(cellFilter(this.#cell))) await this.#removeEmptied(Id, deadline);
  }

  async #removeEmptied(id: string, deadline: number): Promise<void> {
    for (;;) {
      try {
        return await this.#removeOne(id);
      } catch (error) {
        const engaged = error instanceof EngineRefusal && error.message.includes('active endpoints');
        if (!engaged || performance.now() > deadline) throw error;
        await delay(AGAIN_MS);
      }
    }
  }

  async #make(store: string | undefined): Promise<void> {
    if ((await this.#inspect()) !== 'absent') return;
    try {
      await this.#client.call('network', (docker, abortSignal) =>
        docker.createNetwork({
          _query: {},
          _body: {
            Name: this.name,
            Driver: 'bridge',
            // Without this, engines before 25 create a second network with the same name.
            CheckDuplicate: true,
            Options: OPTIONS,
            Labels: {
              ...cellLabels(this.#cell),
              ...(store === undefined ? {} : { [LABEL.store]: store }),
            },
          },
          abortSignal,
        } as unknown as Docker.NetworkCreateOptions),
      );
    } catch (error) {
      if (!(error instanceof EngineRefusal && error.status === 409)) throw error;
    }
    // Another manager may have created one at the same time, which the engine's own check misses.
    if ((await this.#inspect()) === 'absent')
      throw new RuntimeDown(`Network ${this.name} disappeared after it was created.`);
  }

  /**
   * Looks it up by name. If several are ours, removes all but the oldest, because an ambiguous name cannot be
   * joined.
   */
  async #inspect(): Promise<'absent' | 'present'> {
    const named = (await this.#list({ name: [this.name] })).filter(({ Name }) => Name === this.name);
    if (named.length === 0) return 'absent';
    const isOurs = (network: NetworkInspectInfo) =>
      Object.entries(cellLabels(this.#cell)).every(([label, value]) => network.Labels?.[label] === value);
    const foreign = named.find((network) => !isOurs(network));
    if (foreign) {
      throw new BodyRefused(
        'NetworkTaken',
        `Docker has a network ${this.name} (${foreign.Id.slice(0, 12)}) that does not belong to cell ${this.#cell}. ` +
          `Remove it with \`docker network rm\`, or use another CELL.`,
      );
    }
    const [, ...extra] = named.sort((a, b) => a.Created.localeCompare(b.Created) || a.Id.localeCompare(b.Id));
    for (const network of extra) await this.#removeOne(network.Id);
    return 'present';
  }

  #list(filters: Record<string, string[]>): Promise<NetworkInspectInfo[]> {
    return this.#client.call('network', async (docker, abortSignal) => {
      const found: unknown = await docker.listNetworks({ filters, abortSignal });
      if (!Array.isArray(found))
        throw new RuntimeDown("Docker's response to the list of networks is invalid.");
      return found;
    });
  }

  async #removeOne(id: string): Promise<void> {
    try {
      await this.#client.call('network', (docker, abortSignal) =>
        docker.getNetwork(id).remove({ abortSignal }),
      );
    } catch (error) {
      if (!(error instanceof EngineRefusal && error.status === 404)) throw error;
    }
  }
}

/**
 * The address at which bodies reach the machine that Docker runs on. It replaces loopback in a REDIS_URL, if
 * that server also listens there. `undefined` if the engine has no default bridge.
 */
export async function gatewayAddress(client: DockerClient): Promise<string | undefined> {
  const info = await readInfo(client);
  // Containers run in a virtual machine, whose bridge is not on the user's machine.
  if (info.OperatingSystem === 'Docker Desktop') return 'host.docker.internal';
  try {
    const bridge = await client.call(
      'network',
      (docker, abortSignal) =>
        docker
          .getNetwork('bridge')
          .inspect({ abortSignal } as never) as unknown as Promise<NetworkInspectInfo>,
    );
    const { Gateway, Subnet } = bridge.IPAM?.Config?.[0] ?? {};
    // An engine that has created the bridge itself since its start reports only the subnet; the bridge has
    // its first address.
    return Gateway ?? Subnet?.replace(/\.\d+\/\d+$/, '.1');
  } catch (error) {
    if (error instanceof EngineRefusal && error.status === 404) return undefined;
    throw error;
  }
}
