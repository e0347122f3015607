/**
 * Connections to ports of a body.
 *
 * Invariants: only to ports that the worker's spec allows; in a body that shares the network of its machine, only to
 * sockets of the body's own processes, checked before and after the connection is made.
 */
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '../../src/model/values/fault.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { WrapperSettings } from '../settings.ts';
import { findListeners, SocketOwners } from './listeners.ts';

const CONNECT_MS = 5000;
/** Idle connections that are kept for further requests, and for how long in milliseconds. */
const IDLE = 8;
const IDLE_MS = 4000;

export class BodyPorts {
  readonly #spec: Pick<WorkerSpec, 'ports'>;
  readonly #settings: WrapperSettings;
  readonly #owners: SocketOwners;
  /** Whether other programs than the body's can listen here. */
  readonly #isShared: boolean;
  readonly #agent = new PortAgent((port) => this.connect(port));

  constructor(settings: WrapperSettings, spec: Pick<WorkerSpec, 'ports'>) {
    this.#settings = settings;
    this.#spec = spec;
    this.#isShared = settings.bodyId !== undefined;
    this.#owners = new SocketOwners(settings);
  }

  /** Keeps connections for requests; its `port` is that of the request. */
  get agent(): Agent {
    return this.#agent;
  }

  /** Reads a port, and checks that the spec allows it. Throws a Fault: `invalid_command`, `unsupported`. */
  check(text: string): number {
    const port = Number(text);
    if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
      throw new Fault('invalid_command', 'The request was refused: port must be a number from 1 to 65535.');
    const { ports = 'any' } = this.#spec;
    if (ports !== 'any' && !ports.includes(port)) {
      const list = ports.length > 0 ? `only ${ports.slice(0, 20).join(', ')}` : 'none';
      throw new Fault(
        'unsupported',
        `Port ${port} of this worker is not open: its spec allows ${list} (ports).`,
      );
    }
    if (text === this.#settings.door)
      throw new Fault('unsupported', `Port ${port} of this worker belongs to the worker-manager itself.`);
    return port;
  }

  /** Connects to what listens there. Throws a Fault `unavailable` if nothing of the body does. */
  async connect(port: number): Promise<Socket> {
    if (!this.#isShared)
      return connectTo('127.0.0.1', port).catch(() =>
        connectTo('::1', port).catch((cause: Error) => {
          throw nothing(port, cause);
        }),
      );
    const before = this.#find(port);
    const socket = await connectTo(before.host, port).catch((cause: Error) => {
      throw nothing(port, cause);
    });
    try {
      this.#find(port);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return socket;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The listeners of a port, all of which are the body's; throws a Fault. */
  #find(port: number) {
    if (process.platform !== 'linux')
      throw new Fault('unsupported', 'Ports of process workers can be reached only on Linux: use Docker.');
    const found = findListeners(port);
    if (!found) throw nothing(port);
    if (this.#owners.own(found.sockets)) return found;
    throw new Fault('unavailable', `Port ${port} belongs to another program of the worker's machine.`, {
      reason: 'port_closed',
    });
  }
}

/** Keeps connections to ports alive. */
class PortAgent extends Agent {
  readonly #connect: (port: number) => Promise<Socket>;

  constructor(connectPort: (port: number) => Promise<Socket>) {
    super({ keepAlive: true, maxFreeSockets: IDLE, timeout: IDLE_MS, scheduling: 'lifo' });
    this.#connect = connectPort;
  }

  override createConnection(
    { port }: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): null {
    this.#connect(Number(port)).then(
      (socket) => {
        socket.allowHalfOpen = false;
        done?.(null, socket);
      },
      (error: Error) => done?.(error, undefined as never),
    );
    return null;
  }
}

function connectTo(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const late = setTimeout(() => socket.destroy(new Error('it does not answer')), CONNECT_MS);
    socket.once('connect', () => {
      clearTimeout(late);
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
  });
}

const nothing = (port: number, cause?: Error) =>
  new Fault('unavailable', `Nothing listens on port ${port} of this worker (127.0.0.1 and ::1).`, {
    reason: 'port_closed',
    ...(cause && { cause }),
  });
