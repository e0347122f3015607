/**
 * The client of the engine. Every call has a deadline and ends with an answer, an `EngineRefusal` or a
 * `RuntimeDown`.
 *
 * dockerode alone provides none of that: its `timeout` also cuts idle streams, an abort does nothing if an
 * answer is cut in the middle (the promise then never settles), and an answer that is not JSON arrives as a
 * Buffer. A deadline does not cancel the call: the engine may still carry it out.
 */
import { Agent } from 'node:http';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { errorMessage } from '../../model/index.ts';
import { ActFailed, RuntimeDown } from '../runtime.ts';
import { commonVersion, type EngineVersions } from './versions.ts';

export type EngineCall =
  | 'version'
  | 'info'
  | 'list'
  | 'inspect'
  | 'create'
  | 'start'
  | 'kill'
  | 'unpause'
  | 'remove'
  | 'update'
  | 'logs'
  | 'stats'
  | 'events'
  | 'network'
  | 'volume'
  | 'df'
  | 'prune'
  | 'deliver'
  | 'connect';
/**
 * The result of a call, for the metric. "Already so" (304) and "not found" (404) are normal answers, so they
 * are `ok`.
 */
export type EngineCallResult = 'ok' | 'refused' | 'timeout' | 'down';
export type ObserveCall = (call: string, result: string, seconds: number) => void;

/**
 * Timeouts of calls in milliseconds. A create or start takes 0.3 s alone and 5 s with 40 at once; a forced
 * removal waits up to 10 s inside the engine for a process that does not die.
 */
export const DEADLINES: Readonly<Record<EngineCall, number>> = {
  version: 5000,
  info: 10_000,
  list: 15_000,
  inspect: 10_000,
  create: 30_000,
  start: 30_000,
  kill: 15_000,
  unpause: 10_000,
  remove: 30_000,
  update: 15_000,
  logs: 10_000,
  stats: 10_000,
  events: 10_000,
  network: 15_000,
  // A removal deletes every file.
  volume: 60_000,
  // The engine walks all of its volumes and layers for it.
  df: 120_000,
  prune: 120_000,
  deliver: 15_000,
  connect: 15_000,
};

/** Statuses of a proxy that cannot reach its engine, and of an engine that is not ready yet. */
const AWAY: ReadonlySet<number> = new Set([502, 503, 504]);

/** The engine answered with an error: the operation failed, but the engine is not down. */
export class EngineRefusal extends ActFailed {
  readonly status: number;
  constructor(call: EngineCall, status: number, message: string) {
    super(`Docker refused ${call}: ${message}`);
    this.status = status;
  }
}

/** Idle connections to the engine that are kept. */
const IDLE = 16;

export interface EngineClientOptions {
  /** `unix:///path`, `/path`, `tcp://host:port`; default `/var/run/docker.sock`. */
  host?: string | undefined;
  deadlines?: Partial<Record<EngineCall, number>> | undefined;
  observe?: ObserveCall | undefined;
}

/**
 * docker-modem serializes the options of every request at full depth for a debug line that is not printed:
 * with an agent's sockets in them, that costs 30 ms of CPU per call if 20 are open.
 */
class TerseAgent extends Agent {
  [inspect.custom](): string {
    return 'Agent';
  }
}

export class DockerClient {
  readonly #docker: Docker;
  readonly #where: string;
  // After a burst of calls, most of their connections are closed.
  readonly #agent = new TerseAgent({ keepAlive: true, maxFreeSockets: IDLE });
  readonly #deadlines: Record<EngineCall, number>;
  readonly #observe: ObserveCall;
  #negotiation: Promise<void> | undefined;

  constructor(options: EngineClientOptions = {}) {
    this.#where = options.host || '/var/run/docker.sock';
    this.#docker = new Docker({ ...toConnection(this.#where), agent: this.#agent } as Docker.DockerOptions);
    this.#deadlines = { ...DEADLINES, ...options.deadlines };
    this.#observe = options.observe ?? (() => undefined);
  }

  /** Makes one call within its deadline, with an API version that both sides support. */
  async call<T>(name: EngineCall, act: (docker: Docker, signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#negotiation ??= this.#negotiate();
    try {
      await this.#negotiation;
    } catch (error) {
      this.#negotiation = undefined;
      throw error;
    }
    try {
      return await this.#timed(name, act);
    } catch (error) {
      // The engine at this address was replaced by one with another version.
      if (error instanceof EngineRefusal && error.message.includes('client version'))
        this.#negotiation = undefined;
      throw error;
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #negotiate(): Promise<void> {
    const modem = this.#docker.modem as { version?: string | undefined };
    // Without a version in the path, because an engine rejects every request with an outdated one.
    modem.version = undefined;
    const found = await this.#timed(
      'version',
      (docker, abortSignal) => docker.version({ abortSignal } as never) as unknown as Promise<EngineVersions>,
    );
    modem.version = `v${commonVersion(found)}`;
  }

  async #timed<T>(name: EngineCall, act: (docker: Docker, signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    Object.defineProperty(abort.signal, inspect.custom, { value: () => 'AbortSignal' });
    const began = performance.now();
    let result: EngineCallResult = 'ok';
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        result = 'timeout';
        reject(
          new RuntimeDown(
            `Docker at ${this.#where} did not answer ${name} within ${this.#deadlines[name]} ms.`,
          ),
        );
        abort.abort();
      }, this.#deadlines[name]);
    });
    try {
      return await Promise.race([act(this.#docker, abort.signal), late]);
    } catch (error) {
      if (error instanceof RuntimeDown || error instanceof ActFailed) throw error;
      const status = (error as { statusCode?: unknown }).statusCode;
      result = status === 304 || status === 404 ? 'ok' : typeof status === 'number' ? 'refused' : 'down';
      const away = AWAY.has(Number(status));
      if (typeof status === 'number' && !away) throw new EngineRefusal(name, status, engineMessage(error));
      throw new RuntimeDown(`Docker at ${this.#where} can't be reached: ${explain(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
      this.#observe(name, result, (performance.now() - began) / 1000);
    }
  }
}

/**
 * dockerode's connection options. `host: undefined` is necessary: dockerode fills missing options from
 * DOCKER_HOST, and a host from there would override the socket.
 */
export function toConnection(where: string): Docker.DockerOptions {
  const path = where.replace(/^unix:\/\//, '');
  if (path.startsWith('/')) return { socketPath: path, host: undefined, port: undefined, protocol: 'http' };
  const match = /^(tcp|http):\/\/([^/:]+|\[[0-9a-f:]+\]):(\d{1,5})\/?$/i.exec(where);
  if (!match?.[2] || !match[3]) {
    throw new TypeError(`${where} is not an address of Docker: use unix:///path, /path or tcp://host:port.`);
  }
  return { host: match[2], port: match[3], protocol: 'http' };
}

function engineMessage(error: unknown): string {
  const raw = (error as { json?: { message?: unknown } }).json?.message;
  return typeof raw === 'string' ? raw.trim() : errorMessage(error).trim();
}

const CAUSES: Record<string, string> = {
  ENOENT: 'no such socket. Is Docker running?',
  ECONNREFUSED: 'nothing listens there. Is Docker running?',
  EACCES: 'permission denied. Is this user in the group docker?',
};

function explain(error: unknown): string {
  const code = (error as { code?: string }).code;
  return (code && CAUSES[code]) ?? errorMessage(error);
}
