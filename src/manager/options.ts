import type { Logger } from 'pino';
import type { Handlers } from '../config/handlers-dir.ts';
import type { Secrets } from '../config/secrets-dir.ts';
import type { Settings } from '../config/settings.ts';
import type { Collector } from '../images/gc.ts';
import type { Images } from '../images/index.ts';
import type { Checkpoint, RuntimeName, WorkerSpec } from '../model/index.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Link } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What a manager's process is made from. */
export interface ServeOptions {
  settings: Settings;
  runtimes: Runtime[];
  /** Redis as a body of that runtime sees it. */
  bodyRedisUrl: (runtime: RuntimeName) => Promise<string>;
  /** Makes what removes images that are no longer kept; absent where there are no Docker bodies. */
  collector?: ((redis: Link, building: () => boolean) => Collector) | undefined;
  /** Makes the images of Docker bodies, told of each change and the time that decisions are made by; absent where the operator names one image for all. */
  images?: ((changed: () => void, now: () => number) => Images) | undefined;
  /** The operator's secrets. */
  secrets: Secrets;
  /** The operator's handler files. */
  handlers: Handlers;
  /** Why the engine's disk has no room for more; `undefined` where it has. */
  diskSpaceError: () => Promise<string | undefined>;
  /** Tells, for a worker, why its image is neither there nor can be built. */
  imageUnavailableReason: (images: Images | undefined) => (spec: WorkerSpec) => Promise<string | undefined>;
  metrics: Metrics;
  log: Logger;
  /** Ends the direct bodies of the cell when the manager goes while it leads. */
  cleanup?: boolean | undefined;
  /** Fires when the manager should go. */
  signal: AbortSignal;
  /** Called between any two steps of the manager; for the crash tests, which end it there. */
  checkpoint?: Checkpoint | undefined;
  /** Called when it answers on HTTP. */
  listening?: (url: string) => void;
}
