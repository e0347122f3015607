import type { AgentEvent, Dialogue, OpenDialogue, Step, TurnEnd } from '../../src/agents/dialogue.ts';
import type { Agent, AgentOrder } from './agent-process.ts';
import type { Exit } from './exit.ts';
import type { Line } from './line-reader.ts';

/** Characters of an agent's name of the conversation; those that are known have 36. */
const SESSION = 256;

/** A dialogue with an agent whose answers may also come later than what it hears: `say` gets each step. */
export interface Voice {
  open(): void;
  prompt(content: string): void;
  interrupt(): void;
  hear(line: string): void;
  close(): void;
}

export type OpenVoice = (options: {
  workspace: string;
  session: string | undefined;
  say: (step: Step) => void;
}) => Promise<Voice>;

/** A voice that answers at once. */
export function voiceOf(open: OpenDialogue): OpenVoice {
  return async ({ workspace, session, say }) => {
    const dialogue: Dialogue = open({ workspace, session });
    return {
      open: () => say(dialogue.open()),
      prompt: (content) => say(dialogue.prompt(content)),
      interrupt: () => say(dialogue.interrupt()),
      hear: (line) => say(dialogue.hear(line)),
      close: () => {},
    };
  };
}

/** Who listens to a conversation. */
export interface Listener {
  events(events: AgentEvent[]): void;
  /** The handshake is done. Again after each new start of the process. */
  ready(): void;
  ended(end: TurnEnd): void;
  /** A line was heard; `readable` where it is one of the protocol, `retrying` where it is no sign of life. */
  line(line: Line, readable: boolean, retrying: boolean): void;
  /** The process has ended by itself, and all that it wrote was heard. */
  exited(exit: Exit): void;
  /** The handshake was not done in time. */
  mute(): void;
}

interface Parts {
  workspace: string;
  openVoice: OpenVoice;
  /** Starts the process; `session` is the conversation to go on with. */
  launch(session: string | undefined, onLine: NonNullable<AgentOrder['onLine']>): Promise<Agent>;
  handshakeMs: number;
  /** Between the closing of stdin, SIGTERM and SIGKILL of an agent that has done its work. */
  finishMs: number;
  /** By when all must be over, by performance.now(). */
  hardAt: () => number;
}

/**
 * One conversation over the processes that it takes: usually one; a new one, which is told to go on, where the one
 * before it had to be killed. What an old process still says is not heard.
 */
export class Conversation {
  readonly #parts: Parts;
  readonly #listener: Listener;
  #generation = 0;
  #agent: Agent | undefined;
  #voice: Voice | undefined;
  #handshake: NodeJS.Timeout | undefined;
  #unreadable = false;
  #retrying = false;
  /** The agent's name of it; undefined as long as it has none. */
  session: string | undefined;
  /** The handshake is done, and the process lives as far as is known. */
  ready = false;

  constructor(parts: Parts, session: string | undefined, listener: Listener) {
    this.#parts = parts;
    this.session = session;
    this.#listener = listener;
  }

  get agent(): Agent | undefined {
    return this.#agent;
  }

  /** Starts the process and begins the handshake; throws what the system says where it cannot. */
  async start(): Promise<Agent> {
    this.#generation += 1;
    const generation = this.#generation;
    const mine = () => generation === this.#generation;
    const { workspace, openVoice, launch, handshakeMs } = this.#parts;
    const voice = await openVoice({
      workspace,
      session: this.session,
      say: (step) => {
        if (mine()) this.#take(step);
      },
    });
    const agent = await launch(this.session, (line) => {
      if (mine()) this.#hear(line);
    });
    this.#voice = voice;
    this.#agent = agent;
    void this.#await(agent, mine);
    this.#handshake = setTimeout(() => {
      if (mine()) this.#listener.mute();
    }, handshakeMs);
    voice.open();
    return agent;
  }

  prompt(content: string): void {
    this.#voice?.prompt(content);
  }

  interrupt(): void {
    this.#voice?.interrupt();
  }

  /** Ends the process by force; its end is not told. */
  async kill(): Promise<void> {
    this.#generation += 1;
    this.#silence();
    this.#voice?.close();
    const agent = this.#agent;
    if (!agent) return;
    agent.kill();
    await agent.exited;
    await agent.gather(this.#parts.hardAt);
  }

  /** Ends the process in peace: it is done when its stdin is closed, or has to be told. The end is told. */
  async finish(): Promise<void> {
    const agent = this.#agent;
    if (!agent) return;
    agent.closeInput();
    if (await within(agent.exited, this.#parts.finishMs)) return;
    agent.signal('SIGTERM');
    if (!(await within(agent.exited, this.#parts.finishMs))) agent.kill();
  }

  async #await(agent: Agent, mine: () => boolean): Promise<void> {
    const exit = await agent.exited;
    if (mine()) this.#silence();
    await agent.gather(this.#parts.hardAt);
    // What was read last may still be on its way through a voice that is not done at once.
    await new Promise((resolve) => setImmediate(resolve));
    if (!mine()) return;
    this.#voice?.close();
    this.#listener.exited(exit);
  }

  /** No prompts from now on. */
  #silence(): void {
    this.ready = false;
    clearTimeout(this.#handshake);
  }

  #hear(line: Line): void {
    if (line.text.trim() === '') return;
    let readable = !line.cut;
    if (readable) {
      const voice = this.#voice;
      this.#unreadable = false;
      this.#retrying = false;
      try {
        voice?.hear(line.text);
      } catch {
        // One line that is not as expected is that line's fault, and ends nothing.
        this.#unreadable = true;
      }
      readable = !this.#unreadable;
    }
    this.#listener.line(line, readable, this.#retrying);
  }

  #take(step: Step): void {
    if (step.events && step.events.length > 0) this.#listener.events(step.events);
    // An agent that does not read is found out by the clocks; one that has closed its stdin, by its end.
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
