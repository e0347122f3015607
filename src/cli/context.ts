import type { Runtimes } from '../runtimes/registry.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Output } from './output.ts';
import type { CliParts } from './parts.ts';
import type { Session } from './session.ts';

/** What a verb works with. What it opens is closed when it ends. */
export interface Context {
  parts: CliParts;
  out: Output;
  /** The way to Redis; throws a Fault where Redis does not answer. */
  session: () => Promise<Session>;
  /** The real runtimes, unasked; `seen` is what is put around each. */
  runtimes: (seen?: (runtime: Runtime) => Runtime) => Runtimes;
  now: () => number;
  newId: () => string;
  /** Ends the run with this code, where the verb has told already why. */
  exitWith: (code: number) => void;
}
