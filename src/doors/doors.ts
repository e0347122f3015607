/**
 * The way into the bodies of workers: HTTP over connections to their doors. Any manager of a cell can use it, a standby
 * too: it reads where a worker's body is, and signs its own tokens.
 *
 * Invariants: a request reaches the body of the worker that it names or none, because the token names worker and
 * incarnation; a request whose body was begun to be sent is never sent again; every request ends, at the latest with its
 * body; the number of open requests is bounded, per worker and in all.
 */
import { request as ask, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { countPassed } from '../http/doors/collect-buffers.ts';
import type { DoorCall, DoorKind, DoorService } from '../http/doors/door-service.ts';
import { DOOR_REFUSAL, type DoorRefusal } from '../model/doors/door-token.ts';
import { Fault, type RuntimeName } from '../model/index.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import { BodyAgent, type BodyPlace } from './body-agent.ts';
import { mayRepeat, NotSent, Refused, toDoorFault } from './errors.ts';
import { type FindOptions, type FoundPlace, findBody } from './find-body.ts';
import type { DoorSigner } from './signer.ts';

/** Open requests and connections: of one worker, and of all. Each uses two descriptors or more. */
const MOST_PER_WORKER = 128;
const MOST = 1000;
/** How long a request waits for a worker that is starting, in seconds. */
const WAIT_SECONDS = 30;
/** A worker that is ready opens its door at once, so one that does not after this time has none. Milliseconds. */
const OPENING_MS = 3000;
const RETRY_MS = [10, 20, 50, 100, 200] as const;

export interface DoorsOptions extends FindOptions {
  cell: string;
  runtimes: Runtimes;
  signer: DoorSigner;
  limits?: { perWorker?: number; total?: number };
}

type Answer = { response: IncomingMessage; upgraded?: { socket: Duplex; head: Buffer } };

export class Doors implements DoorService {
  readonly #options: DoorsOptions;
  readonly #agents = new Map<string, BodyAgent>();
  readonly #open = new Map<string, number>();
  readonly #kinds = new Map<DoorKind, number>();
  #total = 0;

  constructor(options: DoorsOptions) {
    this.#options = options;
  }

  /** Open requests and connections by kind, for the metric. */
  get open(): ReadonlyMap<DoorKind, number> {
    return this.#kinds;
  }

  /**
   * Sends a request to the door of a worker; resolves with the response, whatever its status. Throws a Fault:
   * `not_found`, `conflict` (the worker has ended), `unavailable` (it does not run in time, or its body ended
   * meanwhile: `reason` is then `body_lost`), `capacity`.
   */
  async request(workerId: string, options: DoorCall): Promise<IncomingMessage> {
    const leave = this.#enter(workerId, options.kind);
    try {
      const { response, upgraded } = await this.#send(workerId, options);
      if (upgraded) {
        upgraded.socket.destroy();
        throw new Fault('internal', 'The door changed the protocol, which was not asked for.');
      }
      response.once('close', leave);
      return response;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * The same with an `Upgrade` in `headers`. Without `socket`, the door has refused, and `response` says why.
   */
  async upgrade(
    workerId: string,
    options: DoorCall,
  ): Promise<{ response: IncomingMessage; socket?: Duplex; head?: Buffer }> {
    const leave = this.#enter(workerId, options.kind);
    try {
      const { response, upgraded } = await this.#send(workerId, options);
      (upgraded?.socket ?? response).once('close', leave);
      if (!upgraded) return { response };
      upgraded.socket.allowHalfOpen = true;
      return { response, ...upgraded };
    } catch (error) {
      leave();
      throw error;
    }
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
    this.#options.signer.close();
  }

  async #send(workerId: string, options: DoorCall): Promise<Answer> {
    const { signal: outer, waitSeconds = WAIT_SECONDS } = options;
    const began = performance.now();
    const until = began + waitSeconds * 1000;
    let waiting: AbortSignal | undefined;
    /** Only for what has to wait: a request on a kept connection does not, and signals take long to make. */
    const wait = () => {
      waiting ??= untilLate(until - performance.now(), outer);
      return waiting;
    };
    for (let attempt = 0; ; attempt += 1) {
      let place: FoundPlace | undefined;
      try {
        const warm = attempt === 0 && !options.place ? this.#agents.get(workerId) : undefined;
        if (options.place) place = { worker_id: workerId, ...options.place, ready: true };
        else if (!warm?.hasIdle) place = await findBody(this.#options, workerId, wait());
        const agent = place ? this.#agent(place) : warm;
        if (!agent) continue;
        const answer = await this.#attempt(agent, options);
        const refusal = answer.response.headers[DOOR_REFUSAL] as DoorRefusal | undefined;
        if (refusal === undefined) return answer;
        answer.response.destroy();
        throw new Refused(refusal);
      } catch (error) {
        if (outer?.aborted)
          throw new Fault('unavailable', 'The request was ended by its sender.', { cause: error });
        if (!mayRepeat(error)) throw toDoorFault(error, workerId);
        if (error instanceof Refused && error.why === 'key')
          await this.#options.signer.publish().catch(() => {});
        const slow = place?.ready === true && performance.now() - began > OPENING_MS;
        if (slow || performance.now() >= until) throw toDoorFault(error, workerId);
        const ms = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
        await delay(ms, undefined, { signal: wait() }).catch(() => {});
      }
    }
  }

  /** One request on a connection to that body. Rejects with `NotSent` if the door has read nothing of it. */
  #attempt(agent: BodyAgent, options: DoorCall): Promise<Answer> {
    const { method, path, headers, body, isSafe, signal } = options;
    const { worker_id, incarnation } = agent.place;
    const { cell, signer } = this.#options;
    const isStream = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
    return new Promise((resolve, reject) => {
      let begun = false;
      const request = ask({
        agent,
        method,
        path,
        headers: {
          ...headers,
          host: worker_id,
          authorization: `Bearer ${signer.sign({ cell, worker_id, incarnation })}`,
          // The door says when it has accepted the token, which nothing is sent before.
          ...(!isSafe && { expect: '100-continue' }),
          ...(body !== undefined && !isStream && { 'content-length': Buffer.byteLength(body) }),
        },
        ...(signal && { signal }),
      });
      request.on('continue', () => {
        begun = true;
        if (isStream) sendStream(body, request);
        else request.end(body);
      });
      request.on('response', (response) => resolve({ response }));
      request.on('upgrade', (response, socket, head) =>
        resolve({ response, upgraded: { socket: socket as Duplex, head } }),
      );
      request.on('error', (error) => reject(begun || signal?.aborted ? error : new NotSent(error)));
      if (isSafe) request.end();
      else request.flushHeaders();
    });
  }

  #agent(place: BodyPlace): BodyAgent {
    const known = this.#agents.get(place.worker_id);
    if (known?.place.body_id === place.body_id && known.place.incarnation === place.incarnation) return known;
    known?.destroy();
    const agent = new BodyAgent(place, () => this.#connect(place));
    this.#agents.set(place.worker_id, agent);
    return agent;
  }

  #connect({ runtime, body_id }: BodyPlace): Promise<Duplex> {
    return this.#options.runtimes.call(runtime as RuntimeName, (one) => one.connect(body_id));
  }

  /** Takes a place; returns the function that gives it back. */
  #enter(workerId: string, kind: DoorKind): () => void {
    const { perWorker = MOST_PER_WORKER, total = MOST } = this.#options.limits ?? {};
    const open = this.#open.get(workerId) ?? 0;
    if (open >= perWorker)
      throw new Fault(
        'capacity',
        `${open} connections to worker ${workerId} are already open. Try again later.`,
      );
    if (this.#total >= total)
      throw new Fault('capacity', `${total} connections to workers are already open. Try again later.`);
    this.#count(workerId, kind, 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count(workerId, kind, -1);
    };
  }

  #count(workerId: string, kind: DoorKind, by: 1 | -1): void {
    this.#total += by;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + by);
    const open = (this.#open.get(workerId) ?? 0) + by;
    if (open > 0) this.#open.set(workerId, open);
    else {
      this.#open.delete(workerId);
      this.#forget(workerId);
    }
  }

  /** An unused worker keeps its idle connections, and no more. */
  #forget(workerId: string): void {
    const agent = this.#agents.get(workerId);
    if (agent && !agent.hasIdle)
      setImmediate(() => agent.hasIdle || this.#open.has(workerId) || this.#drop(agent));
  }

  #drop(agent: BodyAgent): void {
    if (this.#agents.get(agent.place.worker_id) === agent) this.#agents.delete(agent.place.worker_id);
  }
}

/** Aborts after that time in milliseconds, or with the other signal. */
function untilLate(ms: number, other: AbortSignal | undefined): AbortSignal {
  const late = AbortSignal.timeout(Math.max(0, Math.ceil(ms)));
  return other ? AbortSignal.any([other, late]) : late;
}

/** Sends a stream; a request whose stream was broken off is cut, and never looks complete. */
function sendStream(body: Readable, request: ClientRequest): void {
  body.on('data', (part: Buffer) => countPassed(part.length));
  body.pipe(request);
  body.once('error', (error) => request.destroy(error));
  body.once('close', () => body.readableEnded || request.destroy(new Error('the client has gone')));
}
