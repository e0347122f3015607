import type { Runtimes } from '../runtimes/registry.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { CliDeps } from './deps.ts';
import type { CliOutput } from './print/output.ts';
import type { Session } from './session.ts';

/** What a verb can use. Everything that it opens is closed when it ends. */
export interface Context {
  deps: CliDeps;
  out: CliOutput;
  /** The connection to Redis; throws a Fault if Redis does not answer. */
  session: () => Promise<Session>;
  /** The real runtimes, not yet checked; `seen` wraps each of them. */
  runtimes: (seen?: (runtime: Runtime) => Runtime) => Promise<Runtimes>;
  now: () => number;
  newId: () => string;
  /** Ends the run with this exit code, if the verb has already printed the reason. */
  exitWith: (code: number) => void;
}
