import type { SettingRow, Settings } from '../config/settings.ts';
import type { Collector } from '../images/gc.ts';
import type { Images } from '../images/index.ts';
import type { Limits, RuntimeName } from '../model/index.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { connectBlocking, Link, Store } from '../store/index.ts';

/** A connection for reads that block. */
export type Reader = ReturnType<typeof connectBlocking>;

/** From WM_URL, WM_TOKEN and REDIS_URL, else from the context file. */
export interface ReachedBy {
  /** The context file, whether or not it exists. */
  path: string;
  cell: string;
  url: string | undefined;
  token: string | undefined;
  redisUrl: string;
  /** Whether Redis is that of the file. */
  redisFromFile: boolean;
}

/** What the command line is given by main.ts; nothing of it is made before a verb needs it. */
export interface CliParts {
  version: string;
  /** Throws a Fault `invalid_command` where a variable is wrong. Without REDIS_URL, Redis is that of the context file. */
  settings: () => Settings;
  /** The same for a manager, which reads no context file. */
  managerSettings: () => Settings;
  /** How the manager of the cell is reached. */
  context: () => ReachedBy;
  explainSettings: () => SettingRow[];
  /** Clients that connect when they are first used; `blocking` is only a pattern for connections of a reader's own. */
  connect: (settings: Settings) => { redis: Link; blocking: Reader; store: Store };
  runtimes: (settings: Settings) => {
    runtimes: Runtime[];
    /** Redis as a body of that runtime sees it. */
    bodyRedisUrl: (runtime: RuntimeName) => Promise<string>;
  };
  /** The rules that a manager with these settings decides by. */
  limits: (settings: Settings) => Limits;
  /** The image that Docker bodies run, and whether the engine has it. */
  bodyImage: (settings: Settings) => Promise<{ name: string; present: boolean }>;
  /** Makes images; connects when it is first used. */
  images: (settings: Settings) => Images;
  /** Looks at images and removes them. */
  collector: (settings: Settings, redis: Link) => Collector;
  wrapperIsBuilt: () => boolean;
  serve: (settings: Settings, signal: AbortSignal, options: { cleanup?: boolean }) => Promise<void>;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}
