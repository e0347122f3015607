/**
 * The definition of one agent type: what its image needs, how it is configured and started, and which
 * protocol it uses. One file per agent type; `index.ts` is the table of them.
 *
 * Pure. The image build reads `install` and `version`; the wrapper in the body reads the rest. Imports only
 * types of the model, because the wrapper's bundle must stay small.
 */
import type { AgentType, WorkerSpec } from '../model/worker/spec.ts';
import type { OpenDialogue } from './dialogue.ts';

/**
 * A credential of the agent itself. Its tools cannot read it: the wrapper's model proxy adds it to requests.
 */
export interface Credential {
  /** The name among `secrets`, such as `ANTHROPIC_API_KEY`; the same name in `env` is rejected. */
  secret: string;
  /** The request header that carries it, and the prefix of its value. */
  header: string;
  prefix: string;
  /** The endpoint that it belongs to, if it is not the kind's `model`. */
  model?: ModelAddress;
}

/** Where model requests go: a variable of `env`, and the default address. */
export interface ModelAddress {
  variable: string;
  url: string;
}

/** The inputs for starting an agent. */
export interface LaunchOptions {
  spec: WorkerSpec;
  /** The agent's working directory. */
  workspace: string;
  /** The agent's own home directory; no other process uses it. */
  home: string;
  /** The wrapper's model proxy, `http://127.0.0.1:PORT`. */
  modelProxyUrl: string;
  /** The delivered credentials, by secret name. */
  secrets: string[];
  /** The conversation to continue, if the agent takes it as an argument. */
  session: string | undefined;
  /** The agent runs as root outside a container; some CLIs then refuse to run without prompting. */
  root: boolean;
  /** Program and arguments of the hook that checks each command; undefined if every command is allowed. */
  policyCommand: string[] | undefined;
}

/** How a process is started. The agent and its tools can read all of it. */
export interface Launch {
  argv: string[];
  /** In addition to PATH, HOME, LANG and the worker's own variables. */
  env: Record<string, string>;
  /** Files below `home`, path to content, written before the start. */
  files: Record<string, string>;
}

export interface AgentKind {
  type: AgentType;
  /** What the image contains; absent if the program is the user's own. */
  cli?: {
    /** The npm package and its pinned version, which `agent_version` overrides. */
    package: string;
    version: string;
    /** The program's name on the PATH. */
    program: string;
    /**
     * The native program's path in npm's folder, as a shell pattern, if the program's own link points
     * elsewhere.
     */
    native?: string;
    /** Debian packages that it requires. */
    debian: string[];
  };
  /** Debian packages of this type's image, other than those of a CLI. */
  debian?: string[];
  credentials: Credential[];
  model?: ModelAddress;
  launch(order: LaunchOptions): Launch;
  dialogue: OpenDialogue;
  /**
   * Files and folders below `home` that hold the conversation; saved after each turn for the next
   * incarnation.
   */
  conversation: string[];
  /** The end of a turn is not detectable: prompts are passed on as they arrive. */
  turnless?: true;
  /** It uses the Agent Client Protocol, which the wrapper drives itself; `dialogue` must not be opened. */
  acp?: true;
  /** It takes tasks from its pool's queue and no prompts; `launch` and `dialogue` are not used. */
  tasks?: true;
}
