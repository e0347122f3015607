import type { Logger } from 'pino';
import type { DirectCreates } from '../commands/index.ts';
import type { CrashPoint, Limits, RuntimeName } from '../model/index.ts';
import type { Capabilities } from '../placement/context.ts';
import type { AdmissionOptions } from '../reconcile/admission/admission.ts';
import type { ReconcileContext } from '../reconcile/context.ts';
import type { Ownership } from '../runtimes/ownership.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { CommandStream, Findings, Store } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AutomaticCheckpoints } from './automatic-checkpoints.ts';
import type { Traces } from './command-traces.ts';
import type { PoolPorts } from './pool-deps.ts';

/** What a term of leadership is created from. */
export interface TermOptions {
  /** Called between any two steps; see `CrashPoint`. */
  crashPoint?: CrashPoint | undefined;
  store: Store;
  stream: CommandStream;
  runtimes: Runtimes;
  metrics: Metrics;
  log: Logger;
  limits: Limits;
  cell: string;
  /** The store whose bodies the runtimes list; set once the store is known. */
  ownership: Ownership;
  /** What is missing in the store, for people. */
  findings: Findings;
  bodyRedisUrl: (runtime: RuntimeName) => string;
  images: ReconcileContext['images'];
  secrets: ReconcileContext['secrets'];
  handlersDir?: string | undefined;
  /** What this manager's machine and operator allow. */
  capabilities: Capabilities;
  /** Pools, and the queues of their workers. */
  pools: PoolPorts;
  /** The limit of bodies that boot at the same time on each runtime, and the memory of this machine that they share. */
  starts: { slotsOf: AdmissionOptions['slotsOf']; memoryOf: AdmissionOptions['memoryOf'] };
  /** Reports changes of workers over HTTP, while this manager leads. */
  webhooks?: ReconcileContext['webhooks'];
  /** Takes the checkpoints that specs ask for. */
  checkpoints?: Pick<AutomaticCheckpoints, 'note' | 'forget'> | undefined;
  /** Runs while this manager leads; never throws. */
  background?: ((signal: AbortSignal) => Promise<void>)[];
  /** Of this process's HTTP API. */
  directCreates?: DirectCreates;
  /** Absent without traces. */
  traces?: Traces | undefined;
  /** MAX_WORKERS_TOTAL. */
  most_workers?: number | undefined;
  now: () => number;
  newId: () => string;
  concurrency: number;
  resync_ms: number;
  check_ms: number;
  grace_ms: number;
  breaker_share: number;
}
