/**
 * What the loop asks of a place where bodies live. One interface, and one conformance suite
 * (`test/conformance/`) that every runtime and the fake pass.
 *
 * What must always hold, in every implementation:
 * - At most one body of a worker: its name is made of the worker's id alone, so the engine refuses a second.
 * - Acts are idempotent. "Already there", "already started", "already ended", "already gone" are successes,
 *   once the labels prove that the body is ours.
 * - Acts that destroy name the body by its engine id, never by its name.
 * - What cannot be known is thrown as `RuntimeDown`, never answered as "nothing there".
 * - A body never depends on the life of the manager.
 *
 * Must not import the store, the queue or the loop.
 */
import type { Body, ResourceUsage, RuntimeName, WorkerSpec } from '../model/index.ts';

/** What a body is made from. */
export interface BodyOrder {
  worker_id: string;
  incarnation: number;
  spec: WorkerSpec;
  spec_hash: string;
  /** The leader's epoch, a label for people who look for who made it. */
  epoch: number;
  /** The identity of the store that knows the worker, a label. */
  store?: string;
  /** The contract's variables of a body. `REDIS_URL` is the body's own view of Redis. */
  env: Record<string, string>;
  /** The image to run, where the runtime runs images; without it the runtime's own. */
  image?: string;
  /** Program and arguments instead of the wrapper's; the conformance suite's way to make bodies misbehave. */
  argv?: string[];
}

/** What one engine can do, to refuse with `unsupported` before anything is made. */
export interface RuntimeInfo {
  name: RuntimeName;
  /** Such as `docker 20.10.24`, for doctor and the log. */
  version: string;
  /** What users should know of this version, such as that it was not tested. */
  advice?: string | undefined;
  /** Which limits it enforces, each with how, or why not, and whether a living body can be given another. */
  /** Of processes: the user that bodies run as, whether it is another than the manager's, and why. */
  user?: { name: string; own: boolean; why: string };
  limits: Record<'memory' | 'cpus' | 'pids', { supported: boolean; how: string; adjustable?: boolean }>;
  /** The machine that bodies run on, as far as it is known. */
  machine?: Machine | undefined;
}

export interface Machine {
  cores: number;
  memory_bytes: number;
  /** It is the manager's own machine, whose free memory can be measured. */
  local: boolean;
}

/** Limits of a body whose spec names none, as far as its runtime can keep them; absent is none. */
export interface DefaultLimits {
  memory_bytes?: number | undefined;
  /** Processes and threads. */
  pids?: number | undefined;
  open_files?: number | undefined;
  /** What a container may write beside its volumes. */
  disk_bytes?: number | undefined;
}

export interface Runtime {
  readonly name: RuntimeName;
  /** Asks whether it answers, and what it can do. */
  probe(): Promise<RuntimeInfo>;
  /** All bodies of this cell: complete, or throws. Bodies carry no `tail`. */
  list(): Promise<Body[]>;
  /**
   * The bodies of one worker, looked up by name and by the engine id that was known before, with `tail` where
   * one has exited: complete, or throws.
   */
  find(workerId: string, knownId: string | undefined): Promise<Body[]>;
  /** Makes the body and does not start it. One of the same worker that is in the way is thrown as `BodyConflict`. */
  create(order: BodyOrder): Promise<Body>;
  /** Starts a created body. */
  start(bodyId: string): Promise<void>;
  /**
   * Hands a running body what its wrapper waits for (`secrets`), through the named pipe at its SECRETS_PIPE: it stands
   * nowhere, neither in the engine's records nor on a disk. Returns when it is in the pipe; the wrapper's next
   * heartbeat shows whether it arrived.
   */
  deliver(bodyId: string, content: string): Promise<void>;
  /** SIGTERM to the body; returns at once. */
  terminate(bodyId: string): Promise<void>;
  /** SIGKILL to everything of the body; also ends a paused one. */
  kill(bodyId: string): Promise<void>;
  /** Ends the body by force if it is alive, and removes all that belongs to it. */
  remove(bodyId: string): Promise<void>;
  usage(bodyId: string): Promise<ResourceUsage>;
  /** Gives a living body the limits of this spec; those that the spec does not name stay as they are. */
  limit(bodyId: string, spec: WorkerSpec): Promise<void>;
  /**
   * Reports changes as hints: which worker to look at, or `undefined` where hints may have been missed and
   * everything has to be observed again. Reconnects automatically until it is closed. Never throws.
   */
  watch(onEvent: (workerId: string | undefined) => void): { close(): Promise<void> };
  /** Gives back connections; bodies stay. */
  close(): Promise<void>;
  /** Removes what the runtime made for the cell itself (networks, folders); bodies must be gone. */
  dismantle(): Promise<void>;
}

/** The engine is absent, refuses, or did not answer in time. The act may have happened anyway. */
export class RuntimeDown extends Error {
  override name = 'RuntimeDown';
}

/** The engine answers, and this act failed: a full disk, a process that could not be made. It may work later. */
export class ActFailed extends Error {
  override name = 'ActFailed';
}

/** The engine refused an act, and will refuse it again: no such image, no such program, a bad mount. */
export class BodyRefused extends Error {
  override name = 'BodyRefused';
  /** For the status, such as `ImageMissing`. */
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The name is taken by another body: look again. `ours` is false where its labels are not of this cell and worker. */
export class BodyConflict extends Error {
  override name = 'BodyConflict';
  readonly ours: boolean;
  constructor(message: string, ours: boolean) {
    super(message);
    this.ours = ours;
  }
}
