import type { Duplex } from 'node:stream';
import type { RuntimeName } from '../../../src/model/index.ts';
import type { BodyOrder } from '../../../src/runtimes/runtime.ts';

/** How a body of the fake behaves once it is started. */
export interface FakeProgram {
  /** It ends at once with this code; without it, it runs until something ends it. */
  exit_code?: number;
  oom_killed?: boolean;
  /** What it printed, the `tail` of an exited body. */
  tail?: string;
  /** It lives through terminate. */
  ignores_sigterm?: boolean;
  /** It waits for its secrets once, and ends so when it has them; without it, it takes any and runs on. */
  on_secrets?: (content: string) => { exit_code: number; tail?: string };
  /** It never waits for secrets. */
  ignores_secrets?: boolean;
  /** What it does with a connection to its door; without it, the door is not open. */
  on_connect?: (stream: Duplex) => void;
  /** It can't be started: the start is refused and the body stays as it is, with this `error`. */
  refused?: string;
}

export interface FakeEngineOptions {
  name?: RuntimeName;
  now?: () => number;
  /** What a body made from this order does when it is started; without it, every body runs. `files` are those of
   * its workspace. */
  program?: (order: BodyOrder, files: Set<string>) => FakeProgram;
}
