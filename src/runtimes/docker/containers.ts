import { setTimeout as delay } from 'node:timers/promises';
import type {
  Container,
  ContainerCreateOptions,
  ContainerInfo,
  ContainerInspectInfo,
  HostConfig,
} from 'dockerode';
import { RuntimeDown } from '../runtime.ts';
import { type DockerClient, type EngineCall, EngineRefusal } from './client.ts';
import { checkId } from './names.ts';
import { readTail, TAIL_LINES } from './tail.ts';
import type { Stats } from './usage.ts';

/** Interval of checks of a removal that another caller started, in milliseconds, and their count. */
const GONE_EVERY_MS = 100;
const GONE_POLLS = 100;

/**
 * The engine's containers, with idempotent operations: "already done" and "already gone" are successes, and
 * an answer with an unexpected shape is rejected. Throws `EngineRefusal` and `RuntimeDown`.
 */
export class Containers {
  readonly #client: DockerClient;

  constructor(client: DockerClient) {
    this.#client = client;
  }

  /** Creates one and returns its id. Only the name is in the URL: a spec there would be logged by every proxy. */
  async create(name: string, wanted: ContainerCreateOptions): Promise<string> {
    const made = await this.#client.call('create', (docker, abortSignal) =>
      docker.createContainer({
        _query: { name },
        _body: wanted,
        abortSignal,
      } as unknown as ContainerCreateOptions),
    );
    return checkId(made.id);
  }

  /** Lists all containers with these labels, including ended ones. */
  async list(filters: Record<string, string[]>): Promise<ContainerInfo[]> {
    const found: unknown = await this.#client
      .call('list', (docker, abortSignal) => docker.listContainers({ all: true, filters, abortSignal }))
      .catch((error) => {
        // An engine that cannot list its containers is unusable.
        throw error instanceof EngineRefusal ? new RuntimeDown(error.message, { cause: error }) : error;
      });
    // A truncated answer is not a list; it must not be read as an empty one.
    if (!Array.isArray(found))
      throw new RuntimeDown("Docker's response to the list of containers is invalid.");
    return found;
  }

  /** Inspects by ID, or by a name from names.ts; `undefined` if there is none. */
  async inspect(ref: string): Promise<ContainerInspectInfo | undefined> {
    try {
      const info: unknown = await this.#call('inspect', ref, (it, abortSignal) =>
        it.inspect({ abortSignal }),
      );
      if (isInspect(info)) return info;
      throw new RuntimeDown("Docker's response to an inspect is invalid.");
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async start(id: string): Promise<void> {
    try {
      await this.#call('start', id, (it, abortSignal) => it.start({ abortSignal }));
    } catch (error) {
      // 304: it is already running.
      if (!isStatus(error, 304)) throw error;
    }
  }

  /** Signals its main process; does nothing if it is gone or has ended. */
  async signal(id: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const send = () => this.#call('kill', id, (it, abortSignal) => it.kill({ signal, abortSignal }));
    try {
      await send();
    } catch (error) {
      if (isStatus(error, 404)) return;
      if (!isStatus(error, 409, 500)) throw error;
      const state = (await this.inspect(id))?.State;
      if (!state || !['running', 'paused', 'restarting'].includes(state.Status)) return;
      if (state.Status !== 'paused') throw error;
      // Some engines refuse to signal a paused container, and a frozen process would not see the signal either.
      await this.#call('unpause', id, (it, abortSignal) => it.unpause({ abortSignal }));
      await send();
    }
  }

  /** Changes its limits; the rest stays unchanged. */
  async update(id: string, limits: HostConfig): Promise<void> {
    await this.#call('update', id, (it, abortSignal) => it.update({ _body: limits, abortSignal }));
  }

  /** Removes by force, with anonymous volumes; returns when it is gone. */
  async remove(id: string): Promise<void> {
    try {
      await this.#call('remove', id, (it, abortSignal) => it.remove({ force: true, v: true, abortSignal }));
    } catch (error) {
      if (isStatus(error, 404)) return;
      const underWay =
        error instanceof EngineRefusal && error.status === 409 && /already in progress/.test(error.message);
      if (!underWay) throw error;
      await this.#untilGone(id, error);
    }
  }

  /**
   * The last lines of its output; `undefined` if the engine cannot read them, which must not hide the body.
   */
  async tail(id: string): Promise<string | undefined> {
    const options = { stdout: true, stderr: true, tail: TAIL_LINES, follow: false as const };
    try {
      const log: unknown = await this.#call('logs', id, (it, abortSignal) =>
        it.logs({ ...options, abortSignal }),
      );
      return Buffer.isBuffer(log) ? readTail(log) : undefined;
    } catch (error) {
      if (error instanceof EngineRefusal) return undefined;
      throw error;
    }
  }

  /** Without the engine's second sample, which would take a second; `undefined` if the container is gone. */
  async stats(id: string): Promise<Stats> {
    try {
      return await this.#call('stats', id, (it, abortSignal) =>
        it.stats({ stream: false, 'one-shot': true, abortSignal } as { stream: false }),
      );
    } catch (error) {
      if (isStatus(error, 404, 409)) return {};
      throw error;
    }
  }

  async #untilGone(id: string, refusal: unknown): Promise<void> {
    for (let look = 0; look < GONE_POLLS; look++) {
      if (!(await this.inspect(id))) return;
      await delay(GONE_EVERY_MS);
    }
    throw refusal;
  }

  #call<T>(
    name: EngineCall,
    id: string,
    act: (it: Container, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#client.call(name, (docker, signal) => act(docker.getContainer(id), signal));
  }
}

const isStatus = (error: unknown, ...statuses: number[]): boolean =>
  error instanceof EngineRefusal && statuses.includes(error.status);

const isInspect = (info: unknown): info is ContainerInspectInfo =>
  typeof info === 'object' && info !== null && 'State' in info && 'Config' in info;
