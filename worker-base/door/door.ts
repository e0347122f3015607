/**
 * The door of a body: the one listener through which its manager reaches what is inside. It listens from the start of
 * the body, at a socket or port that the runtime knows, and is closed at its end.
 *
 * Invariants: it opens only to tokens for the worker that the body serves at that moment; until a worker has claimed a
 * warm body, it reports nothing but what the body is. The server and Node's HTTP are loaded with the first connection.
 */
import { chmodSync, closeSync, constants, openSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { errorMessage, Fault } from '../../src/model/values/fault.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { Log } from '../log.ts';
import { formatPartError } from '../missing-part.ts';
import type { WrapperSettings } from '../settings.ts';
import type { AgentEnvironment } from '../workload.ts';
import type { DoorBody, WorkspaceFiller } from './route.ts';
import type { DoorServer } from './server.ts';
import { TokenVerifier } from './tokens.ts';

/** The longest path in a socket's address (unix(7)), without its final zero. */
const LONGEST_PATH = 107;
/** Connections at once; most are the manager's pooled ones. */
const MOST = 512;

export interface DoorOptions {
  /** A path, or a port of all addresses of the body. */
  address: string;
  settings: WrapperSettings;
  log: Log;
  /** Reads the published key of a manager; `null` if there is none. */
  findKey: (id: string) => Promise<string | null>;
}

export class Door {
  readonly #options: DoorOptions;
  readonly #verifier: TokenVerifier;
  readonly #ended = new AbortController();
  readonly #listener: Server;
  #settings: WrapperSettings;
  #body: DoorBody | undefined;
  #environment = Promise.withResolvers<AgentEnvironment>();
  #server: Promise<DoorServer> | undefined;
  #folder: number | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#verifier = new TokenVerifier(options.findKey);
    this.#environment.promise.catch(() => {});
    this.#listener = createServer({ pauseOnConnect: false, allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
    this.#listener.maxConnections = MOST;
    this.#listener.on('error', (error) => options.log.warn('the door failed', { error: error.message }));
  }

  /** Listens. A body whose door cannot be opened works without it. */
  open(): void {
    const { address } = this.#options;
    if (/^\d+$/.test(address)) this.#listener.listen({ port: Number(address), host: '0.0.0.0' });
    else this.#listenAt(address);
  }

  /** The worker that the body serves from now on. */
  admit(settings: WrapperSettings, spec: WorkerSpec, log: Log): void {
    this.#settings = settings;
    this.#body = {
      settings,
      spec,
      log,
      signal: this.#ended.signal,
      environment: () => this.#environment.promise,
    };
  }

  /** The agent's environment is ready. */
  furnish(environment: AgentEnvironment): void {
    this.#environment.resolve(environment);
  }

  /** The agent has been started. */
  showTurns(turnsStored: () => Promise<unknown>): void {
    if (this.#body) this.#body.turnsStored = turnsStored;
  }

  /** The boot waits for the archive that fills the workspace, or does not any more. */
  awaitArchive(filler: WorkspaceFiller | undefined): void {
    if (this.#body) this.#body.filler = filler;
  }

  /** The end of the body waits for a copy of its workspace, or does not any more. */
  awaitCopy(lastCopy: DoorBody['lastCopy']): void {
    if (this.#body) this.#body.lastCopy = lastCopy;
  }

  /** Loads the server before the first connection, while there is time, and what the first token is checked with. */
  async load(): Promise<void> {
    await this.#load();
    process.getBuiltinModule('node:crypto');
  }

  /** Cuts all connections and stops listening. */
  close(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#environment.reject(new Fault('conflict', 'The body ends.'));
    this.#listener.close();
    void this.#server?.then(
      (server) => server.close(),
      () => {},
    );
    if (this.#folder !== undefined) closeSync(this.#folder);
  }

  #accept(socket: Socket): void {
    socket.pause();
    socket.on('error', () => {});
    void this.#load().then(
      (server) => {
        if (this.#ended.signal.aborted) socket.destroy();
        else server.accept(socket);
        socket.resume();
      },
      (error: unknown) => {
        this.#options.log.error('the door cannot be loaded', { error: errorMessage(error) });
        // What the manager has sent is read, or the response might be lost.
        socket.resume();
        socket.end(formatPartError(error));
      },
    );
  }

  #load(): Promise<DoorServer> {
    this.#server ??= import('./server.ts').then(({ createDoorServer }) =>
      createDoorServer({
        refusal: (token) => this.#verifier.refusal(token, { cell: this.#settings.cell, ...this.#about() }),
        about: () => this.#about(),
        body: () => this.#body,
        log: {
          error: (message, fields) => this.#options.log.error(message, fields as Record<string, unknown>),
        },
      }),
    );
    return this.#server;
  }

  #about(): { worker_id: string; incarnation: number } {
    return { worker_id: this.#settings.workerId, incarnation: this.#settings.incarnation };
  }

  #listenAt(path: string): void {
    // The folder is this body's own, so nothing there is in use.
    rmSync(path, { force: true });
    let short = path;
    if (Buffer.byteLength(path) > LONGEST_PATH && process.platform === 'linux') {
      this.#folder = openSync(
        dirname(path),
        constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
      );
      short = `/proc/self/fd/${this.#folder}/${basename(path)}`;
    }
    this.#listener.listen({ path: short }, () => chmodSync(short, 0o600));
  }
}
