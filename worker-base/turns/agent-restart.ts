import type { AgentSession } from '../agent/session.ts';
import type { SessionArchive } from '../agent/session-archive.ts';
import type { ExitState } from './exit-state.ts';

/**
 * Restarts the agent's process if it has exited and its worker continues, with the remaining conversation.
 */
export class AgentRestart {
  readonly #parts: { agentSession: () => AgentSession; archive: SessionArchive; exitState: ExitState };
  #lost: boolean;
  /** The running process has reported that it accepts prompts. */
  handshaken = false;

  constructor(
    parts: { agentSession: () => AgentSession; archive: SessionArchive; exitState: ExitState },
    lost: boolean,
  ) {
    this.#parts = parts;
    this.#lost = lost;
  }

  /** Whether a conversation is lost and not reported yet; the call marks it as reported. */
  takeLoss(): boolean {
    const lost = this.#lost;
    this.#lost = false;
    return lost;
  }

  /** A conversation will be continued. */
  get resumes(): boolean {
    return this.#parts.agentSession().session !== undefined;
  }

  forget(): void {
    const { agentSession, archive } = this.#parts;
    agentSession().session = undefined;
    void archive.forget();
  }

  /** It did not continue the conversation, before any prompt: the next prompt reports that. */
  beginAnew(): void {
    this.#lost = true;
    this.forget();
    this.restart();
  }

  restart(): void {
    void this.#parts
      .agentSession()
      .kill()
      .then(() => this.begin());
  }

  /** Starts the process again. */
  async begin(): Promise<void> {
    const { exitState, agentSession } = this.#parts;
    if (exitState.reason)
      return exitState.end({ code: null, signal: 'SIGTERM' }, 143, 'The agent was stopped.');
    this.handshaken = false;
    try {
      const agent = await agentSession().start();
      if (exitState.reason) agent.signal('SIGTERM');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      exitState.end({ code: 126, signal: null }, 126, `The agent could not be restarted: ${message}.`);
    }
  }
}
