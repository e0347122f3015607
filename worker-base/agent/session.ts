import type { AgentEvent, Dialogue, DialogueStep, OpenDialogue, TurnEnd } from '../../src/agents/dialogue.ts';
import type { AgentProcess, AgentProcessOptions } from './agent-process.ts';
import type { Exit } from './exit.ts';
import type { Line } from './line-reader.ts';

/** Maximum length of an agent's ID of the conversation; known ones have 36 characters. */
const SESSION = 256;

/** A dialogue with an agent whose replies may come later than its input: `say` receives each step. */
export interface AgentProtocol {
  open(): void;
  /** `notice` is a remark of the wrapper for the agent. */
  prompt(content: string, notice: string | undefined): void;
  interrupt(): void;
  receive(line: string): void;
  close(): void;
}

export type OpenProtocol = (options: {
  workspace: string;
  session: string | undefined;
  send: (step: DialogueStep) => void;
}) => Promise<AgentProtocol>;

/** A prompt with a remark before its text. */
export const introduce = (content: string, notice: string | undefined): string =>
  notice === undefined ? content : `[worker-manager] ${notice}\n\n${content}`;

/** A protocol that handles each line synchronously. */
export function toProtocol(open: OpenDialogue): OpenProtocol {
  return async ({ workspace, session, send }) => {
    const dialogue: Dialogue = open({ workspace, session });
    return {
      open: () => send(dialogue.open()),
      prompt: (content, notice) =>
        send(
          dialogue.takesNotice
            ? dialogue.prompt(content, notice)
            : dialogue.prompt(introduce(content, notice)),
        ),
      interrupt: () => send(dialogue.interrupt()),
      receive: (line) => send(dialogue.receive(line)),
      close: () => {},
    };
  };
}

/** The listeners of a conversation. */
export interface SessionListener {
  events(events: AgentEvent[]): void;
  /** The handshake is done. Again after each new start of the process. */
  ready(): void;
  ended(end: TurnEnd): void;
  /** A line was received; `readable` if it follows the protocol, `retrying` if it is not a sign of life. */
  line(line: Line, readable: boolean, retrying: boolean): void;
  /** The process has exited on its own, and all of its output was received. */
  exited(exit: Exit): void;
  /** The handshake was not done in time. */
  onHandshakeTimeout(): void;
}

interface AgentSessionDeps {
  workspace: string;
  openProtocol: OpenProtocol;
  /** Starts the process; `session` is the conversation to continue. */
  launch(
    session: string | undefined,
    onLine: NonNullable<AgentProcessOptions['onLine']>,
  ): Promise<AgentProcess>;
  handshakeMs: number;
  /** Between the closing of stdin, SIGTERM and SIGKILL of an agent that has done its work. */
  finishMs: number;
  /** The deadline for the whole shutdown, by performance.now(). */
  hardAt: () => number;
}

/**
 * One conversation over the processes that it takes: usually one; a new one, which continues it, if the one
 * before it had to be killed. Later output of an old process is ignored.
 */
export class AgentSession {
  readonly #deps: AgentSessionDeps;
  readonly #listener: SessionListener;
  #generation = 0;
  #agent: AgentProcess | undefined;
  #protocol: AgentProtocol | undefined;
  #handshake: NodeJS.Timeout | undefined;
  #unreadable = false;
  #retrying = false;
  /** The agent's ID of the conversation; undefined while it has none. */
  session: string | undefined;
  /** The handshake is done, and the process runs as far as is known. */
  ready = false;

  constructor(deps: AgentSessionDeps, session: string | undefined, listener: SessionListener) {
    this.#deps = deps;
    this.session = session;
    this.#listener = listener;
  }

  get agent(): AgentProcess | undefined {
    return this.#agent;
  }

  /** Starts the process and the handshake; throws the system's error if the process cannot be started. */
  async start(): Promise<AgentProcess> {
    this.#generation += 1;
    const generation = this.#generation;
    const mine = () => generation === this.#generation;
    const { workspace, openProtocol, launch, handshakeMs } = this.#deps;
    const protocol = await openProtocol({
      workspace,
      session: this.session,
      send: (step) => {
        if (mine()) this.#take(step);
      },
    });
    const agent = await launch(this.session, (line) => {
      if (mine()) this.#receive(line);
    });
    this.#protocol = protocol;
    this.#agent = agent;
    void this.#await(agent, mine);
    this.#handshake = setTimeout(() => {
      if (mine()) this.#listener.onHandshakeTimeout();
    }, handshakeMs);
    protocol.open();
    return agent;
  }

  prompt(content: string, notice?: string): void {
    this.#protocol?.prompt(content, notice);
  }

  interrupt(): void {
    this.#protocol?.interrupt();
  }

  /** Ends the process by force; its end is not reported. */
  async kill(): Promise<void> {
    this.#generation += 1;
    this.#silence();
    this.#protocol?.close();
    const agent = this.#agent;
    if (!agent) return;
    agent.kill();
    await agent.exited;
    await agent.gather(this.#deps.hardAt);
  }

  /** Ends the process gracefully, by closing its stdin or by a signal. The end is reported. */
  async finish(): Promise<void> {
    const agent = this.#agent;
    if (!agent) return;
    agent.closeInput();
    if (await within(agent.exited, this.#deps.finishMs)) return;
    agent.signal('SIGTERM');
    if (!(await within(agent.exited, this.#deps.finishMs))) agent.kill();
  }

  async #await(agent: AgentProcess, mine: () => boolean): Promise<void> {
    const exit = await agent.exited;
    if (mine()) this.#silence();
    await agent.gather(this.#deps.hardAt);
    // The last lines may still be in progress in an asynchronous protocol.
    await new Promise((resolve) => setImmediate(resolve));
    if (!mine()) return;
    this.#protocol?.close();
    this.#listener.exited(exit);
  }

  /** No prompts from now on. */
  #silence(): void {
    this.ready = false;
    clearTimeout(this.#handshake);
  }

  #receive(line: Line): void {
    if (line.text.trim() === '') return;
    let readable = !line.cut;
    if (readable) {
      const protocol = this.#protocol;
      this.#unreadable = false;
      this.#retrying = false;
      try {
        protocol?.receive(line.text);
      } catch {
        // One unexpected line is an error of that line only, and ends nothing.
        this.#unreadable = true;
      }
      readable = !this.#unreadable;
    }
    this.#listener.line(line, readable, this.#retrying);
  }

  #take(step: DialogueStep): void {
    if (step.events && step.events.length > 0) this.#listener.events(step.events);
    // The timeouts detect an agent that does not read; one that has closed its stdin is detected by its end.
    if (step.write) void this.#agent?.write(step.write);
    if (step.session !== undefined && step.session.length <= SESSION) this.session = step.session;
    if (step.unreadable) this.#unreadable = true;
    if (step.retrying) this.#retrying = true;
    if (step.ready) {
      clearTimeout(this.#handshake);
      this.ready = true;
      this.#listener.ready();
    }
    if (step.ended) this.#listener.ended(step.ended);
  }
}

/** Whether it settles in time. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return settled;
}
