import type { Redis } from 'ioredis';
import type { Heartbeat } from '../../src/model/heartbeat.ts';
import { HEARTBEAT_INTERVAL_MS } from '../../src/model/limits.ts';
import type { Keys } from '../../src/store/keys.ts';
import type { ExtraCommand } from './output-sender.ts';

/** Many tasks a second begin and end: that is reported at most this often. */
const CHANGE_MS = 200;

/** What a task worker reports with each heartbeat. */
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

/** A key that is kept, and made again where it is lost. */
interface Announced {
  key: string;
  text: string;
}

/** How long it is known which worker a silent body served. */
const SERVING_MS = 86_400_000;

/** Says that the body lives: a key that is renewed, and a message at each change of phase. */
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
  #activeAt = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #needsSecrets = false;
  #stopped = false;
  /** A turn is under way, or a prompt waits. */
  busy = false;
  /** All prompts are answered. */
  waiting = false;
  /** Commands that the agent was refused. */
  denied = 0;
  /** The id of the input stream up to which all is dealt with. */
  passed: () => string | undefined = () => undefined;
  /** Of a worker that takes tasks. */
  load: () => Load & { busy?: boolean } = () => ({});

  constructor(options: {
    redis: Redis;
    keys: Keys;
    workerId: string;
    incarnation: number;
    seq: () => number;
    /** Instead of the heartbeat's key: what a node says that no manager has a record of. */
    register?: ((heartbeat: Heartbeat) => ExtraCommand[]) | undefined;
    /** For a claimed body: lets a store that has lost everything learn which worker it serves. */
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

  /** A prompt or a line of output has passed. */
  touch(): void {
    this.#activeAt = Date.now();
  }

  /** A turn has begun or ended: sent at once, without waiting for the result. */
  turn(busy: boolean, waiting: boolean): void {
    this.touch();
    if (busy === this.busy && waiting === this.waiting) return;
    this.busy = busy;
    this.waiting = waiting;
    if (this.#phase === 'ready') void this.#send(false);
  }

  /** A task has begun or ended, or the worker takes none for now: said soon. */
  changed(): void {
    this.touch();
    this.soon();
  }

  /** Something that the next body needs has changed: said soon. */
  soon(): void {
    if (this.#phase === 'booting') return;
    this.#changing ??= setTimeout(() => {
      this.#changing = undefined;
      void this.#send(false);
    }, CHANGE_MS);
  }

  /** Waits for its secrets from now on, or does not any more; said at once, and again while it is so. */
  needSecrets(needs: boolean): void {
    this.#needsSecrets = needs;
    this.#scheduleNext();
    void this.#send(true);
  }

  /** Reports for the worker that claimed the body, from now on; `ready` is what readers see. */
  async begin(): Promise<void> {
    this.#scheduleNext();
    await this.#send(false);
  }

  /** Is ready from now on, without an entry to be sent with it. */
  async announce(seq: number): Promise<void> {
    this.ready(seq);
    await this.#send(true);
  }

  /** Another source reports the number of the last entry from now on. */
  follow(seq: () => number): void {
    this.#seq = seq;
  }

  /** Says nothing any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
  }

  /** Sends the final heartbeat, and none after it, which would register the node again. */
  async leave(commands: ExtraCommand[]): Promise<void> {
    this.stop();
    // What is not sent now expires.
    await this.#piped(commands)
      .exec()
      .catch(() => {});
  }

  /** Is ready from now on; gives what says so, to be sent together with the entry `ready`, whose `seq` it carries. */
  ready(seq: number): ExtraCommand[] {
    this.#phase = 'ready';
    this.#readyAt = new Date().toISOString();
    this.#scheduleNext();
    return this.#commands(seq, true);
  }

  /** Is ending from now on, which may take long where tasks are finished; settles when Redis has it, or is away. */
  async end(): Promise<void> {
    const first = this.#phase !== 'ending';
    this.#phase = 'ending';
    await this.#send(first);
  }

  #scheduleNext(): void {
    if (this.#timer) return;
    this.#redis.on('ready', () => this.#send(false));
    this.#timer = setInterval(() => this.#send(false), HEARTBEAT_INTERVAL_MS);
  }

  async #send(announce: boolean): Promise<void> {
    if (this.#stopped || this.#redis.status !== 'ready') return;
    const pipeline = this.#piped(this.#commands(this.#seq(), announce));
    const serving = this.#serving;
    if (serving) pipeline.pexpire(serving.key, SERVING_MS);
    // One that is lost is followed by the next.
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
    if (this.#needsSecrets) heartbeat.needs_secrets = true;
    const passed = this.passed();
    if (passed !== undefined) heartbeat.input_id = passed;
    if (this.waiting) heartbeat.waiting = true;
    if (this.denied > 0) heartbeat.denied = this.denied;
    if (this.#readyAt) heartbeat.ready_at = this.#readyAt;
    if (this.#register) return this.#register(heartbeat);
    const commands: ExtraCommand[] = [['SET', this.#key, JSON.stringify(heartbeat)]];
    if (announce) commands.push(['PUBLISH', this.#channel, this.#phase]);
    return commands;
  }
}
