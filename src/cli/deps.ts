import type { CellContext } from '../config/context-file.ts';
import type { SettingRow, Settings } from '../config/settings.ts';
import type { Collector } from '../images/gc.ts';
import type { Images } from '../images/index.ts';
import type { Limits, RuntimeName } from '../model/index.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { connectBlocking, Link, Store } from '../store/index.ts';

/** A connection for blocking reads. */
export type Reader = ReturnType<typeof connectBlocking>;

/** From WM_URL, WM_TOKEN and REDIS_URL, otherwise from the context file. */
export interface ManagerAddress {
  /** The path of the context file, whether or not it exists. */
  path: string;
  cell: string;
  url: string | undefined;
  token: string | undefined;
  redisUrl: string;
  /** Whether the Redis URL is from the file. */
  redisFromFile: boolean;
}

/** What main.ts passes to the command line; nothing is created before a verb needs it. */
export interface CliDeps {
  version: string;
  /**
   * Throws a Fault `invalid_command` if a variable is invalid. Without REDIS_URL, Redis is the one in the context file.
   */
  settings: () => Settings;
  /** The same for a manager, which does not read a context file. */
  managerSettings: () => Settings;
  /** How to connect to the manager of the cell. */
  context: () => ManagerAddress;
  /** The context files of all cells on this machine. */
  contexts: () => ({ cell: string } & CellContext)[];
  explainSettings: () => SettingRow[];
  /** Clients that connect on first use; `blocking` is only a template for a reader's own connections. */
  connect: (settings: Settings) => { redis: Link; blocking: Reader; store: Store };
  runtimes: (settings: Settings) => {
    runtimes: Runtime[];
    /** The URL of Redis from a body of that runtime. */
    bodyRedisUrl: (runtime: RuntimeName) => Promise<string>;
  };
  /** The limits with which a manager with these settings decides. */
  limits: (settings: Settings) => Limits;
  /** The image of Docker bodies, and whether the engine has it. */
  bodyImage: (settings: Settings) => Promise<{ name: string; present: boolean }>;
  /** Builds images; connects on first use. */
  images: (settings: Settings) => Images;
  /** Lists and removes images. */
  collector: (settings: Settings, redis: Link) => Collector;
  wrapperIsBuilt: () => boolean;
  /** Ends the private Redis of the cell if no manager uses it; returns whether it did. */
  endPrivateRedis: () => Promise<boolean>;
  serve: (settings: Settings, signal: AbortSignal, options: { cleanup?: boolean }) => Promise<void>;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}
