/**
 * The boot of one body: an ordered list of steps over one `Boot`. Each step sets the components that later steps use, or
 * ends the boot with the body's exit code.
 *
 * Invariant: a step uses only components that an earlier step of its list has set. Events that can occur at
 * any time (a signal, a denied command, an acknowledgement) go through `Boot`, which knows what exists already. Must not
 * import a step; `lifecycle.ts` lists them.
 */
import type { Redis } from 'ioredis';
import type { Heartbeat } from '../../src/model/worker/heartbeat.ts';
import type { Keys } from '../../src/store/keys.ts';
import type { Door } from '../door/door.ts';
import type { Log } from '../log.ts';
import type { Denials } from '../sandbox/denials.ts';
import type { WrapperSettings } from '../settings.ts';
import type { Shutdown } from '../shutdown.ts';
import type { HeartbeatSender } from '../streams/heartbeat.ts';
import type { InputReader } from '../streams/input.ts';
import type { OutputQueue } from '../streams/output-queue.ts';
import type { ExtraCommand, OutputSender } from '../streams/output-sender.ts';
import type { Spool } from '../streams/spool.ts';
import type { NodeClaim } from '../tasks/node-claim.ts';
import type { TurnRunner } from '../turns/turn-runner.ts';
import type { AgentEnvironment, Workload } from '../workload.ts';
import type { StartState } from './initial-state.ts';

/** Exit code of a body that has to end before its agent is started, as if SIGTERM had ended it. */
export const SIGTERM_CODE = 143;
/** As sysexits.h: a setting is wrong. */
export const EX_CONFIG = 78;

/** A node that was started manually, once it has claimed its name. */
export interface StartedNode {
  claim: NodeClaim;
  /** Replaces the heartbeat. */
  beat: (heartbeat: Heartbeat) => ExtraCommand[];
  leave: () => ExtraCommand[];
}

/** The state with which a warm body continues, once a worker has claimed it. */
export interface Assigned {
  settings: WrapperSettings;
  log: Log;
  start: StartState;
  /** The connection for blocked reads, already open. */
  blocking: Redis;
  heartbeat: HeartbeatSender;
}

/** The components of one body. A step sets those that are declared with `!`; only later steps read them. */
export class Boot {
  settings: WrapperSettings;
  log: Log;
  readonly keys: Keys;
  readonly commands: Redis;
  /** Aborts when the body has to end. */
  readonly signal: AbortSignal;
  /** Ends the body. */
  readonly abort: () => void;

  /** Only for a node that was started manually. */
  node?: StartedNode;
  /** Only for a warm body. */
  assigned?: Assigned;
  /** The state of the worker in Redis. */
  start!: StartState;

  /** Only if the runtime can connect to it. */
  door?: Door;
  spool!: Spool;
  sender!: OutputSender;
  output!: OutputQueue;
  heartbeat!: HeartbeatSender;
  shutdown!: Shutdown;
  denials!: Denials;
  /** Changes how the agent is started; the warm-up starts another program. */
  adaptEnvironment: (environment: AgentEnvironment) => AgentEnvironment = (environment) => environment;
  environment!: AgentEnvironment;
  workload!: Workload;
  /** Only for an agent that has turns. */
  turnRunner?: TurnRunner;
  /** The connection for blocked reads. */
  blocking!: Redis;
  input?: InputReader;
  /** Called before the end of the body is reported. */
  readonly closing: (() => Promise<unknown>)[] = [];

  /** What has been done when, in milliseconds since the process started. */
  readonly marks: [name: string, at: number][] = [];

  constructor(options: Pick<Boot, 'settings' | 'log' | 'keys' | 'commands' | 'signal' | 'abort'>) {
    this.settings = options.settings;
    this.log = options.log;
    this.keys = options.keys;
    this.commands = options.commands;
    this.signal = options.signal;
    this.abort = options.abort;
  }

  /** The step of the boot that ends now. */
  mark(name: string): void {
    this.marks.push([name, performance.now()]);
  }

  /** The boot for the heartbeat: when the process started, and the milliseconds of each step. */
  describe(): string {
    const steps = this.marks.map(
      ([name, at], n) => `${name}=${Math.round(at - (this.marks[n - 1]?.[1] ?? 0))}`,
    );
    return [new Date(performance.timeOrigin).toISOString(), ...steps].join(' ');
  }

  /** The agent has ended: no more input from now on. */
  stopInput(): void {
    if (!this.input) return;
    this.input.stop();
    void this.heartbeat.end();
  }
}

/** Sets components of a body; returns the exit code of a body that cannot continue. */
export type BootStep = (boot: Boot) => number | undefined | Promise<number | undefined>;

/** Runs the steps one after the other; returns the exit code of the first that ends the boot. */
export async function runSteps(boot: Boot, steps: readonly BootStep[]): Promise<number | undefined> {
  for (const step of steps) {
    const code = await step(boot);
    if (code !== undefined) return code;
  }
  return undefined;
}
