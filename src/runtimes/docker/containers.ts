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
 * The engine's containers with its traps taken out: already done is done, gone is gone, and an answer of another
 * shape is not accepted. Throws `EngineRefusal` and `RuntimeDown`.
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

  /** All with these labels, ended ones too. */
  async list(filters: Record<string, string[]>): Promise<ContainerInfo[]> {
    const found: unknown = await this.#client
      .call('list', (docker, abortSignal) => docker.listContainers({ all: true, filters, abortSignal }))
      .catch((error) => {
        // An engine that cannot say what there is cannot be used.
        throw error instanceof EngineRefusal ? new RuntimeDown(error.message, { cause: error }) : error;
      });
    // An answer that was cut short parses as no list; it must not read as an empty one.
    if (!Array.isArray(found))
      throw new RuntimeDown("Docker's response to the list of containers is invalid.");
    return found;
  }

  /** By id, or by a name that names.ts made; `undefined` where there is none. */
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
      // 304: it runs already.
      if (!isStatus(error, 304)) throw error;
    }
  }

  /** A signal to its first process; one that is gone or has ended needs none. */
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

  /** Gives it other limits; the rest stays as it is. */
  async update(id: string, limits: HostConfig): Promise<void> {
    await this.#call('update', id, (it, abortSignal) => it.update({ _body: limits, abortSignal }));
  }

  /** By force, with its anonymous volumes; returns when it is gone. */
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

  /** The last lines that it printed; `undefined` where the engine can't read them, which is not a reason to hide it. */
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

  /** Without the engine's second look, which would take a second; nothing of one that is gone. */
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
