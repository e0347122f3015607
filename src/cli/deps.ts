import type { CellContext } from '../config/context-file.ts';
import type { SettingProblem } from '../config/setting-problems.ts';
import type { SettingRow, Settings } from '../config/settings.ts';
import type { Components } from '../manager/components.ts';
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
  /** Where the Redis URL is from; without REDIS_URL and the file, it is the address of a Redis that may not exist. */
  redisFrom: 'environment' | 'file' | 'default';
  /** Whether WM_URL names another manager than the file, so that its Redis is not known. */
  redisUnknown: boolean;
}

/** The address of a manager's HTTP API. */
export interface ManagerApi {
  url: string;
  token: string | undefined;
  /** Whether the user named it with WM_URL, so that no other source may be used instead. */
  explicit: boolean;
}

/** What main.ts passes to the command line; nothing is created before a verb needs it. */
export interface CliDeps {
  version: string;
  /**
   * Throws a Fault `invalid_command` if a variable is invalid. Without REDIS_URL, Redis is the one in the context file.
   */
  settings: () => Promise<Settings>;
  /** The same for a manager, which does not read a context file. */
  managerSettings: () => Promise<Settings>;
  /** How to connect to the manager of the cell. */
  context: () => Promise<ManagerAddress>;
  /** The context files of all cells on this machine. */
  contexts: () => Promise<({ cell: string } & CellContext)[]>;
  /** The HTTP API of the manager of the cell, if one is known; reads no other settings. */
  api: () => ManagerApi | undefined;
  explainSettings: () => Promise<SettingRow[]>;
  /** Valid settings that do not do what the operator wants. */
  settingProblems: () => Promise<SettingProblem[]>;
  /** Clients that connect on first use; `blocking` is only a template for a reader's own connections. */
  connect: (settings: Settings) => Promise<{ redis: Link; blocking: Reader; store: Store }>;
  /** Runtimes and images; most verbs do not load them. */
  components: (settings: Settings) => Promise<Components>;
  wrapperIsBuilt: () => boolean;
  /** Ends the private Redis of the cell if no manager uses it; returns whether it did. */
  endPrivateRedis: () => Promise<boolean>;
  serve: (settings: Settings, signal: AbortSignal, options: { cleanup?: boolean }) => Promise<void>;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}
