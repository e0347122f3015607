/**
 * The interface between the loop and an engine that runs bodies. Every runtime and the fake pass one
 * conformance suite (`test/conformance/`).
 *
 * Invariants of every implementation:
 * - A worker has at most one body: its name is derived from the worker's ID only, so the engine rejects a
 *   second.
 * - Operations are idempotent. "Already exists", "already started", "already ended" and "already gone" are
 *   successes, if the labels prove that the body is ours.
 * - Destructive operations identify the body by its engine ID, never by its name.
 * - If the state cannot be determined, `RuntimeDown` is thrown; "not found" is never returned instead.
 * - A body never depends on the life of the manager.
 *
 * Must not import the store, the queue or the loop.
 */
import type { Duplex } from 'node:stream';
import type { Body, ResourceUsage, RuntimeName, WorkerSpec, Workspace } from '../model/index.ts';

/** The request to create a body. */
export interface BodyOrder {
  worker_id: string;
  incarnation: number;
  spec: WorkerSpec;
  spec_hash: string;
  /** ID of the workspace that the body uses if the spec's files persist; defaults to the worker's ID. */
  workspace?: string;
  /** The leader's epoch, as a label that shows people which leader created it. */
  epoch: number;
  /** The identity of the store with the worker's record, as a label. */
  store?: string;
  /** The body's variables, as defined by the contract. `REDIS_URL` is the Redis URL for the body. */
  env: Record<string, string>;
  /** The image, if the runtime uses images; defaults to the runtime's own. */
  image?: string;
  /**
   * Program and arguments instead of the wrapper's; the conformance suite uses it to make bodies misbehave.
   */
  argv?: string[];
}

/** The capabilities of one engine, used to reject with `unsupported` before anything is created. */
export interface RuntimeInfo {
  name: RuntimeName;
  /** Such as `docker 20.10.24`, for doctor and the log. */
  version: string;
  /** Warnings about this version, for example that it was not tested. */
  advice?: string | undefined;
  /** Which limits it enforces, each with how, or why not, and whether a living body can be given another. */
  /** Of processes: the user that bodies run as, whether it is another than the manager's, and why. */
  user?: { name: string; own: boolean; why: string };
  limits: Record<'memory' | 'cpus' | 'pids', { supported: boolean; how: string; adjustable?: boolean }>;
  /** The machine that bodies run on, if known. */
  machine?: Machine | undefined;
}

export interface Machine {
  cores: number;
  memory_bytes: number;
  /** It is the manager's own machine, so its free memory can be measured. */
  local: boolean;
}

/** Default limits of bodies whose spec has none, if the runtime can enforce them; absent means no limit. */
export interface DefaultLimits {
  memory_bytes?: number | undefined;
  /** Processes and threads. */
  pids?: number | undefined;
  open_files?: number | undefined;
  /** Maximum size of a container's writes outside its volumes. */
  disk_bytes?: number | undefined;
}

export interface Runtime {
  readonly name: RuntimeName;
  /** Checks whether the engine answers, and returns its capabilities. */
  probe(): Promise<RuntimeInfo>;
  /** Lists all bodies of this cell, without `tail`. The list is complete, or the call throws. */
  list(): Promise<Body[]>;
  /**
   * Returns the bodies of one worker, found by name and by the last known engine ID, with `tail` if one has
   * exited. The list is complete, or the call throws.
   */
  find(workerId: string, knownId: string | undefined): Promise<Body[]>;
  /**
   * Creates the body without starting it, and its workspace if that does not exist yet. Throws `BodyConflict` if the
   * worker's name is in use.
   */
  create(order: BodyOrder): Promise<Body>;
  /** Starts a created body. */
  start(bodyId: string): Promise<void>;
  /**
   * Delivers `secrets` to the wrapper of a running body, which waits for them, through the named pipe at its
   * SECRETS_PIPE. They are not stored anywhere, neither in the engine's records nor on a disk. Returns when
   * the content is in the pipe; the wrapper's next heartbeat shows whether it arrived.
   */
  deliver(bodyId: string, content: string): Promise<void>;
  /**
   * Opens a byte stream to the door of a running body: the server that its wrapper opens at WORKER_DOOR, which
   * the runtime sets. Both directions have back-pressure. A cut stream ends with an error wherever the engine
   * shows the difference from a clean end. Throws a Fault `not_found` if there is no such body, `conflict` if it has
   * ended or nothing listens, and `RuntimeDown` if that cannot be determined.
   */
  connect(bodyId: string): Promise<Duplex>;
  /** Sends SIGTERM to the body; returns immediately. */
  terminate(bodyId: string): Promise<void>;
  /** Sends SIGKILL to everything in the body; also ends a paused one. */
  kill(bodyId: string): Promise<void>;
  /** Ends the body by force if it is alive, and removes everything that belongs to it. */
  remove(bodyId: string): Promise<void>;
  /** Lists all workspaces of this cell. The list is complete, or the call throws. */
  listWorkspaces(): Promise<Workspace[]>;
  /**
   * Deletes a workspace with all of its files. A Fault `conflict` if a body uses it, ended or not; a workspace that does
   * not exist is a success.
   */
  removeWorkspace(id: string): Promise<void>;
  usage(bodyId: string): Promise<ResourceUsage>;
  /** Applies the limits of this spec to a living body; limits that the spec does not set stay unchanged. */
  limit(bodyId: string, spec: WorkerSpec): Promise<void>;
  /**
   * Reports changes as events: the worker to reconcile, or `undefined` if events may have been missed and all
   * workers must be observed. Reconnects automatically until it is closed. Never throws.
   */
  watch(onEvent: (workerId: string | undefined) => void): { close(): Promise<void> };
  /** Closes connections; bodies stay. */
  close(): Promise<void>;
  /** Removes what the runtime created for the cell (networks, folders, workspaces); it must have no bodies. */
  dismantle(): Promise<void>;
}

/** The engine is absent, rejects the connection, or timed out. The operation may have happened anyway. */
export class RuntimeDown extends Error {
  override name = 'RuntimeDown';
}

/** The engine answers, but this operation failed: a full disk, a failed fork. It may work later. */
export class ActFailed extends Error {
  override name = 'ActFailed';
}

/** The engine rejected an operation permanently: no such image, no such program, an invalid mount. */
export class BodyRefused extends Error {
  override name = 'BodyRefused';
  /** For the status, such as `ImageMissing`. */
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Another body has the name: observe again. `ours` is false if its labels are not of this cell and worker.
 */
export class BodyConflict extends Error {
  override name = 'BodyConflict';
  readonly ours: boolean;
  constructor(message: string, ours: boolean) {
    super(message);
    this.ours = ours;
  }
}
