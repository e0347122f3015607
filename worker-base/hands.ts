import type { WorkerSpec } from '../src/model/spec.ts';

/** What of the body's settings matters here. */
export interface HandsSettings {
  workerId: string;
  incarnation: number;
  workspace: string;
  /** The agent's environment, of which PATH is read. */
  inherited: Record<string, string>;
}

/** How the agent's processes are started, and ended. */
export interface Hands {
  /** The argv that starts the agent as it may. */
  run(argv: string[]): string[];
  /** The argv that runs an errand of ours as the agent's user, with any program. */
  errand(argv: string[]): string[];
  /** What enforces `allowed_commands`, such as `groups` and `landlock 7`; empty where all is allowed. */
  enforcement: string[];
  /** Allowed commands that are not there. */
  missing: string[];
  /** Ends every process of the agent by force, also those that have left its group; `agentGroup` is the agent's pid. */
  killAll(agentGroup: number): Promise<void>;
}

/** Looks at where it is, once. */
export function handsOf(settings: HandsSettings, spec: WorkerSpec): Hands {
  void settings;
  void spec;
  return {
    run: (argv) => argv,
    errand: (argv) => argv,
    enforcement: [],
    missing: [],
    killAll: async () => undefined,
  };
}
