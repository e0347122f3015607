/** The routes of the door: what a module in `routes/` gives, and what it gets. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ArchiveFormat } from '../../src/model/worker/archive-format.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { Log } from '../log.ts';
import type { WrapperSettings } from '../settings.ts';
import type { AgentEnvironment } from '../workload.ts';

/** The body that the door belongs to, once a worker has it. */
export interface DoorBody {
  settings: WrapperSettings;
  spec: WorkerSpec;
  log: Log;
  /** Aborts when the body ends. */
  signal: AbortSignal;
  /**
   * How programs are started as the agent is: `privileges.run(argv)`, and `cwd` and `env` of
   * `processOptions(undefined)`. Resolves when the agent's environment is prepared, and rejects with a Fault if
   * the body ends before.
   */
  environment(): Promise<AgentEnvironment>;
  /** Settles when the conversation of every turn that has ended is stored; in bodies of agents with turns, once they are started. */
  turnsStored?: (() => Promise<unknown>) | undefined;
  /** Only while the boot waits for the archive that fills the workspace. */
  filler?: WorkspaceFiller | undefined;
  /** Only while the end of the body waits for a copy of its workspace. */
  lastCopy?: { begin(): () => void } | undefined;
}

/** Takes the archive from which a worker starts. */
export interface WorkspaceFiller {
  /** Throws if the archive broke off, and a Fault if it cannot be used. */
  fill(archive: IncomingMessage, format: ArchiveFormat): Promise<void>;
  /** There is no archive, for this reason. */
  fail(why: string): void;
}

interface DoorCall {
  body: DoorBody;
  /** The parts of the path that the pattern names, decoded. */
  params: Record<string, string>;
  /** What `*` at the end of the pattern stands for, as it was sent: percent-encoded, perhaps not UTF-8. */
  rest: string;
  query: URLSearchParams;
}

export interface DoorRequest extends DoorCall {
  request: IncomingMessage;
  response: ServerResponse;
}

export interface DoorUpgrade extends DoorCall {
  request: IncomingMessage;
  /** The connection, from which nothing is read yet. The handler writes the response, `101` or an error. */
  socket: Duplex;
  /** The first bytes after the request. */
  head: Buffer;
}

/**
 * A route. A Fault that it throws becomes the response if none was begun; after that, the connection is cut, so that
 * a part is never taken for the whole.
 */
export interface DoorRoute {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'ANY';
  /** For example `/processes/:process_id/output` or `/files/*`. */
  path: string;
  handle?(call: DoorRequest): void | Promise<void>;
  /** For a request with `Upgrade`; GET only. */
  upgrade?(call: DoorUpgrade): void | Promise<void>;
}

/** The routes that fit a path, and what their pattern stands for. */
export function findRoutes(
  routes: readonly DoorRoute[],
  path: string,
): { routes: DoorRoute[]; params: Record<string, string>; rest: string } | undefined {
  for (const { path: pattern } of routes) {
    const match = matchPath(pattern, path);
    if (match) return { routes: routes.filter((route) => route.path === pattern), ...match };
  }
  return undefined;
}

function matchPath(
  pattern: string,
  path: string,
): { params: Record<string, string>; rest: string } | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  const open = wanted.at(-1) === '*';
  if (open ? given.length < wanted.length : given.length !== wanted.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    if (open && at === wanted.length - 1) break;
    const here = given[at] ?? '';
    if (!part.startsWith(':')) {
      if (part !== here) return undefined;
      continue;
    }
    const value = decode(here);
    if (!value) return undefined;
    params[part.slice(1)] = value;
  }
  return { params, rest: open ? given.slice(wanted.length - 1).join('/') : '' };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
