/** The connections to the door of one body: kept alive, used again, and closed when they are idle. */
import { Agent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import type { DoorPlace } from '../http/doors/door-service.ts';

/** Idle connections that are kept, and for how long in milliseconds. */
const IDLE = 8;
const IDLE_MS = 30_000;

/** What Node's agent calls on every connection, also on a stream that is not a socket. */
const SOCKET_ONLY = ['setKeepAlive', 'setTimeout', 'ref', 'unref'];

/** Where the body of a worker is. */
export interface BodyPlace extends DoorPlace {
  worker_id: string;
}

export class BodyAgent extends Agent {
  readonly place: BodyPlace;
  readonly #connect: () => Promise<Duplex>;
  readonly #idle = new Map<Duplex, NodeJS.Timeout>();

  constructor(place: BodyPlace, connect: () => Promise<Duplex>) {
    super({ keepAlive: true, maxFreeSockets: IDLE, scheduling: 'lifo' } as AgentOptions);
    this.place = place;
    this.#connect = connect;
  }

  /** Whether a connection to this body waits for the next request; it shows that the body lives. */
  get hasIdle(): boolean {
    return this.#idle.size > 0;
  }

  override createConnection(
    _options: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): null {
    this.#connect().then(
      (stream) => {
        // Half a connection is of no use to HTTP, and would stay in the pool.
        stream.allowHalfOpen = false;
        for (const name of SOCKET_ONLY)
          if (!(name in stream)) Object.assign(stream, { [name]: () => stream });
        stream.once('close', () => this.#used(stream));
        done?.(null, stream);
      },
      (error: Error) => done?.(error, undefined as never),
    );
    return null;
  }

  override keepSocketAlive(stream: Duplex): boolean {
    // Its type is older than Node's answer.
    if ((super.keepSocketAlive(stream) as unknown) === false) return false;
    const late = setTimeout(() => stream.destroy(), IDLE_MS);
    late.unref();
    this.#idle.set(stream, late);
    return true;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    this.#used(stream);
    super.reuseSocket(stream, request);
  }

  #used(stream: Duplex): void {
    clearTimeout(this.#idle.get(stream));
    this.#idle.delete(stream);
  }
}
