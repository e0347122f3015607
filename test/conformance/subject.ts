import type { Body, WorkerSpec } from '../../src/model/index.ts';
import type { BodyOrder, Runtime } from '../../src/runtimes/runtime.ts';

/**
 * The behavior of a body after its start:
 * - `{ exits: n }`: exits immediately with that code.
 * - `runs`: runs until a signal ends it; SIGTERM ends it with 143.
 * - `ignoresSigterm`: survives SIGTERM, with a grandchild in its own session.
 * - `oom`: uses more memory than the order's limit.
 * - `missingProgram`: argv[0] does not exist.
 * - `prints`: prints the line PRINTED and exits with 3.
 * - `takesSecrets`: creates the pipe at SECRETS_PIPE, reads it to its end, prints the SHA-256 of the content,
 *   exits with 0.
 * - `writes`: writes a file in its workspace, exits with 0; `reads`: exits with 0 if that file is there, else with 4.
 * - `echoes`: returns everything that is sent to its door, in each connection; the end too.
 * - `neverReads`: creates that pipe and runs without reading it.
 */
export type Program =
  | { exits: number }
  | 'runs'
  | 'ignoresSigterm'
  | 'oom'
  | 'missingProgram'
  | 'prints'
  | 'takesSecrets'
  | 'writes'
  | 'reads'
  | 'echoes'
  | 'neverReads';

/** The script of `takesSecrets` for a shell. */
export const TAKES_SECRETS = 'mkfifo -m 600 "$SECRETS_PIPE"; sha256sum <"$SECRETS_PIPE"; rm "$SECRETS_PIPE"';

/** The scripts of `writes` and `reads` for a shell; foreign images do not set the path. */
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: a shell expands them
export const WRITES =
  'mkdir -p "${WORKSPACE_PATH:-/workspace}"; echo kept >"${WORKSPACE_PATH:-/workspace}/kept"';
export const READS = 'grep -q kept "${WORKSPACE_PATH:-/workspace}/kept" || exit 4';
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: a shell expands them
/** The script of `echoes` for Node, which then runs `ready`. */
export const echoes = (ready: string) => `
  const at = process.env.WORKER_DOOR;
  require('net').createServer({ allowHalfOpen: true }, (s) => {
    s.on('error', () => s.destroy());
    s.pipe(s);
  }).listen(/^[0-9]+$/.test(at) ? { host: '0.0.0.0', port: Number(at) } : { path: at }, () => { ${ready} });`;

export const PRINTED = 'the last line of a body';

/** Checks that a runtime may not support; each with the reason, which the skipped test prints. */
export type Ability = 'oom' | 'grandchildren' | 'outlivesName' | 'reconnect' | 'pause';

/** One cell of one engine, created for each test, and direct ways to change the world without the runtime. */
export interface Subject {
  runtime: Runtime;
  /** Another manager of the same cell. */
  second: Runtime;
  /** A manager of another cell on the same engine. */
  otherCell: Runtime;
  order(workerId: string, program: Program): BodyOrder;
  /** Resolves when the program of a started body is ready for signals. */
  settled(body: Body): Promise<void>;
  /** SIGKILL to the body's main process from outside. */
  killFromOutside(body: Body): Promise<void>;
  /** The number of live processes of the body, as reported by the machine, not the runtime. */
  alive(body: Body): Promise<number>;
  /** Creates a foreign object with the name of this worker's body. */
  occupyName(workerId: string): Promise<{ isThere(): Promise<boolean>; remove(): Promise<void> }>;
  /** Removes the name from a body, which keeps its engine ID. With `outlivesName`. */
  renameAway?(body: Body): Promise<void>;
  /** Breaks the event connection, which can be reopened at once. With `reconnect`. */
  breakWatch?(): Promise<void>;
  /** Freezes all of the body. With `pause`. */
  pause?(body: Body): Promise<void>;
  /** Removes all bodies of both cells and what was made for them, and closes the runtimes. */
  close(): Promise<void>;
}

/** A spec as the store would hold it. */
export function workerSpec(change: Partial<WorkerSpec> = {}): WorkerSpec {
  return {
    agent_type: 'CUSTOM',
    command_line: ['true'],
    runtime: 'process',
    restart_policy: 'never',
    stop_grace_seconds: 10,
    start_deadline_seconds: 120,
    keep_finished_seconds: 86_400,
    ...change,
  };
}
