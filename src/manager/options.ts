import type { Logger } from 'pino';
import type { Handlers } from '../config/handlers-dir.ts';
import type { Settings } from '../config/settings.ts';
import type { Collector } from '../images/gc.ts';
import type { Images } from '../images/index.ts';
import type { Traces } from '../leader/command-traces.ts';
import type { CrashPoint, RuntimeName, WorkerSpec } from '../model/index.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Link, Store } from '../store/index.ts';
import type { Tasks } from '../tasks/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ContextKeeper } from './context-keeper.ts';
import type { WorkerSecrets } from './worker-secrets.ts';

/** What a manager's process is created from. */
export interface ServeOptions {
  settings: Settings;
  /** Version of this program. */
  version: string;
  runtimes: Runtime[];
  /** The URL of Redis from a body of that runtime. */
  bodyRedisUrl: (runtime: RuntimeName) => Promise<string>;
  /** Creates the image garbage collector; absent if there are no Docker bodies. */
  collector?: ((redis: Link, building: () => boolean) => Collector) | undefined;
  /**
   * Creates the images of Docker bodies; it gets notifications of changes and the clock of decisions. Absent if the
   * operator sets one image for all.
   */
  images?: ((changed: () => void, now: () => number) => Images) | undefined;
  /** The operator's secrets, and the tokens of workers. */
  secrets: WorkerSecrets;
  /** The operator's handler files. */
  handlers: Handlers;
  /** Why the engine's disk has no space for more; `undefined` if it has. */
  diskSpaceError: () => Promise<string | undefined>;
  /** The free bytes of the engine's disk, if they are known, and IMAGE_MIN_FREE. */
  imageDisk: () => Promise<{ free: number | undefined; watermark: number | undefined }>;
  /** Returns why a worker's image neither exists nor can be built. */
  imageUnavailableReason: (images: Images | undefined) => (spec: WorkerSpec) => Promise<string | undefined>;
  metrics: Metrics;
  log: Logger;
  /** Creates the traces of the cell; absent if they are off. */
  traces?: ((deps: { store: Store; tasks: Tasks; now: () => number }) => Traces) | undefined;
  /** Ends the direct bodies of the cell when the manager shuts down while it leads. */
  cleanup?: boolean | undefined;
  /** Fires when the manager should shut down. */
  signal: AbortSignal;
  /** Called between any two steps of the manager; the crash tests end it there. */
  crashPoint?: CrashPoint | undefined;
  /** Writes the address for the command line of this machine. */
  context?: ContextKeeper;
}
