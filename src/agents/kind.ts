/**
 * What the project knows of one type of agent: what its image needs, how it is configured and started, and how it
 * talks. One file an agent type; `index.ts` is the table of them.
 *
 * Pure, and read by both halves: the images (install, version) and the wrapper in the body (the rest). Imports types
 * of the model only; the wrapper's bundle must stay small.
 */
import type { AgentType, WorkerSpec } from '../model/spec.ts';
import type { OpenDialogue } from './dialogue.ts';

/** A credential of the agent itself. No tool that it starts can read it: the wrapper's gateway adds it to requests. */
export interface Credential {
  /** The name among `secrets`, such as `ANTHROPIC_API_KEY`; the same in `env` is refused. */
  secret: string;
  /** The request header that carries it, and what stands before it there. */
  header: string;
  prefix: string;
  /** The endpoint that it is for, where that is another than the kind's `model`. */
  model?: ModelAddress;
}

/** Where requests to the model go: the variable of `env` that says so, and the address where it does not. */
export interface ModelAddress {
  variable: string;
  url: string;
}

/** What the wrapper knows when it starts an agent. */
export interface LaunchOptions {
  spec: WorkerSpec;
  /** The directory in which the agent works. */
  workspace: string;
  /** The agent's own home directory; no other process uses it. */
  home: string;
  /** The gateway in the wrapper that leads to the model, `http://127.0.0.1:PORT`. */
  modelProxyUrl: string;
  /** Which credentials were delivered, by the names of their secrets. */
  secrets: string[];
  /** A conversation to continue, if the agent takes it as an argument. */
  session: string | undefined;
  /** As root outside of a container, where some CLIs refuse to work without questions. */
  root: boolean;
  /** Program and arguments of the hook that is asked before each command; undefined where every command is allowed. */
  policyCommand: string[] | undefined;
}

/** How a process is started; all of it is readable by the agent and its tools. */
export interface Launch {
  argv: string[];
  /** Beside PATH, HOME, LANG and the worker's own variables. */
  env: Record<string, string>;
  /** Files below `home`, path to content, written before the start. */
  files: Record<string, string>;
}

export interface AgentKind {
  type: AgentType;
  /** What the image is given; absent where the program is the user's own. */
  cli?: {
    /** The npm package and its pinned version, which `agent_version` overrides. */
    package: string;
    version: string;
    /** The program's name on the PATH. */
    program: string;
    /** Where the native program lies in npm's folder, as a shell's pattern, if the program's own link leads elsewhere. */
    native?: string;
    /** Debian packages that it does not work without. */
    debian: string[];
  };
  /** Debian packages that the image of this type has, other than those of a CLI. */
  debian?: string[];
  credentials: Credential[];
  model?: ModelAddress;
  launch(order: LaunchOptions): Launch;
  dialogue: OpenDialogue;
  /** Files and folders below `home` that hold the conversation; kept for the next incarnation after each turn. */
  conversation: string[];
  /** The end of a turn is unknown: prompts are passed on as they come. */
  turnless?: true;
  /** It uses the Agent Client Protocol, which the wrapper drives itself; `dialogue` is not to be opened. */
  acp?: true;
  /** It takes tasks from its pool's queue, and no prompts; neither `launch` nor `dialogue` is used. */
  tasks?: true;
}
