import type { Redis } from 'ioredis';
import { HEARTBEAT_INTERVAL_MS } from '../../src/model/values/limits.ts';
import type { Heartbeat } from '../../src/model/worker/heartbeat.ts';
import type { Keys } from '../../src/store/keys.ts';
import type { ExtraCommand } from './output-sender.ts';

/** Minimum time between reports, because many tasks per second may start and end. */
const CHANGE_MS = 200;

/** The additional fields in each heartbeat of a task worker. */
export type Load = Pick<
  Heartbeat,
  | 'active_tasks'
  | 'slots'
  | 'queue_size'
  | 'job_started_at'
  | 'cpu_percent'
  | 'memory_percent'
  | 'paused'
  | 'node_url'
>;

/** What a body waits for until the manager has done it. */
type ManagerRequest = 'needs_secrets' | 'needs_checkpoint' | 'offers_checkpoint';

/** A key that is renewed, and recreated if it is lost. */
interface Announced {
  key: string;
  text: string;
}

/** How long the boot is reported: every resync reads all heartbeats. */
const BOOT_MS = 60_000;

/** How long the worker of a silent body is stored. */
const SERVING_MS = 86_400_000;

/** Reports that the body is alive: a key that is renewed, and a message at each change of phase. */
export class HeartbeatSender {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #channel: string;
  readonly #incarnation: number;
  #seq: () => number;
  readonly #serving: Announced | undefined;
  readonly #register: ((heartbeat: Heartbeat) => ExtraCommand[]) | undefined;
  #changing: NodeJS.Timeout | undefined;
  #phase: Heartbeat['phase'] = 'booting';
  #readyAt: string | undefined;
  #bootUntil = 0;
  #activeAt = Date.now();
  #timer: NodeJS.Timeout | undefined;
  readonly #requests = new Set<ManagerRequest>();
  #turns = 0;
  #stopped = false;
  /** A turn is running, or a prompt waits. */
  busy = false;
  /** All prompts are handled. */
  waiting = false;
  /** How long the steps of the boot took, as in the heartbeat. */
  boot: string | undefined;
  /** Number of denied commands. */
  denied = 0;
  /** Bytes on disk of the workspace, once they are known. */
  workspaceBytes: number | undefined;
  /** Why the body ends before its agent is started. */
  failure: string | undefined;
  /** The ID of the input stream up to which all entries are handled. */
  passed: () => string | undefined = () => undefined;
  /** Only for a task worker. */
  load: () => Load & { busy?: boolean } = () => ({});

  constructor(options: {
    redis: Redis;
    keys: Keys;
    workerId: string;
    incarnation: number;
    seq: () => number;
    /** Replaces the heartbeat's key for a node without a manager's record. */
    register?: ((heartbeat: Heartbeat) => ExtraCommand[]) | undefined;
    /** For a claimed body: stores the worker that it serves, for a store that has lost everything. */
    serving?: Announced | undefined;
  }) {
    this.#serving = options.serving;
    this.#register = options.register;
    this.#redis = options.redis;
    this.#key = options.keys.heartbeat(options.workerId);
    this.#channel = options.keys.signal(options.workerId);
    this.#incarnation = options.incarnation;
    this.#seq = options.seq;
  }

  /** When a prompt or a line of output last passed, in milliseconds since 1970. */
  get activeAt(): number {
    return this.#activeAt;
  }

  /** A prompt or a line of output has passed. */
  touch(): void {
    this.#activeAt = Date.now();
  }

  /** A turn has started or ended: sent immediately, without waiting for the result. */
  turn(busy: boolean, waiting: boolean): void {
    this.touch();
    if (busy === this.busy && waiting === this.waiting) return;
    this.busy = busy;
    this.waiting = waiting;
    if (this.#phase === 'ready') void this.#send(false);
  }

  /** A task has started or ended, or the worker is paused: reported soon. */
  changed(): void {
    this.touch();
    this.soon();
  }

  /** A value that the next body needs has changed: reported soon. */
  soon(): void {
    if (this.#phase === 'booting') return;
    this.#changing ??= setTimeout(() => {
      this.#changing = undefined;
      void this.#send(false);
    }, CHANGE_MS);
  }

  /** Reports whether the body waits for something of the manager: immediately, and repeatedly while it does. */
  request(what: ManagerRequest, waits: boolean): void {
    if (waits) this.#requests.add(what);
    else this.#requests.delete(what);
    if (what === 'offers_checkpoint') this.#phase = 'ending';
    this.#scheduleNext();
    void this.#send(true);
  }

  /** A turn has ended, and its conversation is stored: reported immediately. */
  turnEnded(): void {
    this.#turns += 1;
    if (this.#phase === 'ready') void this.#send(true);
  }

  /** From now on, reports for the worker that claimed the body; `ready` is the reported value. */
  async begin(): Promise<void> {
    this.#scheduleNext();
    await this.#send(false);
  }

  /** From now on, reports ready, without an entry that is sent with it. */
  async announce(seq: number): Promise<void> {
    this.ready(seq);
    await this.#send(true);
  }

  /** From now on, another source provides the number of the last entry. */
  follow(seq: () => number): void {
    this.#seq = seq;
  }

  /** Stops reporting. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
  }

  /** Sends the final heartbeat, and none after it, which would register the node again. */
  async leave(commands: ExtraCommand[]): Promise<void> {
    this.stop();
    // If it cannot be sent now, the key expires.
    await this.#piped(commands)
      .exec()
      .catch(() => {});
  }

  /**
   * From now on, reports ready. Returns the commands to send with the entry `ready`, with that entry's `seq`.
   */
  ready(seq: number): ExtraCommand[] {
    this.#phase = 'ready';
    this.#readyAt = new Date().toISOString();
    this.#bootUntil = performance.now() + BOOT_MS;
    this.#scheduleNext();
    return this.#commands(seq, true);
  }

  /**
   * From now on, reports the shutdown, which may take long if tasks are finished. Settles when Redis has it,
   * or is away.
   */
  async end(): Promise<void> {
    const first = this.#phase !== 'ending';
    this.#phase = 'ending';
    await this.#send(first);
  }

  #scheduleNext(): void {
    if (this.#timer) return;
    this.#redis.on('ready', () => this.#send(false));
    this.#timer = setInterval(() => this.#send(this.#requests.size > 0), HEARTBEAT_INTERVAL_MS);
  }

  async #send(announce: boolean): Promise<void> {
    if (this.#stopped || this.#redis.status !== 'ready') return;
    const pipeline = this.#piped(this.#commands(this.#seq(), announce));
    const serving = this.#serving;
    if (serving) pipeline.pexpire(serving.key, SERVING_MS);
    // A lost heartbeat is followed by the next one.
    const replies = await pipeline.exec().catch(() => undefined);
    if (serving && replies?.at(-1)?.[1] === 0)
      await this.#redis.set(serving.key, serving.text, 'PX', SERVING_MS).catch(() => {});
  }

  #piped(commands: ExtraCommand[]) {
    const pipeline = this.#redis.pipeline();
    for (const [name, ...args] of commands) pipeline.call(name, ...args);
    return pipeline;
  }

  #commands(seq: number, announce: boolean): ExtraCommand[] {
    const heartbeat: Heartbeat = {
      incarnation: this.#incarnation,
      phase: this.#phase,
      at: new Date().toISOString(),
      active_at: new Date(this.#activeAt).toISOString(),
      busy: this.busy,
      ...this.load(),
      seq,
    };
    for (const what of this.#requests) heartbeat[what] = true;
    if (this.#turns > 0) heartbeat.turns = this.#turns;
    const passed = this.passed();
    if (passed !== undefined) heartbeat.input_id = passed;
    if (this.waiting) heartbeat.waiting = true;
    if (this.denied > 0) heartbeat.denied = this.denied;
    if (this.workspaceBytes !== undefined) heartbeat.workspace_bytes = this.workspaceBytes;
    if (this.failure !== undefined) heartbeat.failure = this.failure;
    if (this.#readyAt) heartbeat.ready_at = this.#readyAt;
    if (this.boot && performance.now() < this.#bootUntil) heartbeat.boot = this.boot;
    if (this.#register) return this.#register(heartbeat);
    const commands: ExtraCommand[] = [['SET', this.#key, JSON.stringify(heartbeat)]];
    if (announce) commands.push(['PUBLISH', this.#channel, this.#phase]);
    return commands;
  }
}
