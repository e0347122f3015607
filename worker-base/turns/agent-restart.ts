import type { Conversation } from '../agent/session.ts';
import type { Keep } from '../agent/session-archive.ts';
import type { Leave } from './exit-state.ts';

/** Brings the agent's process back where it has gone and its worker goes on, with what is left of the conversation. */
export class Revival {
  readonly #parts: { conversation: () => Conversation; keep: Keep; leave: Leave };
  #lost: boolean;
  /** The process that runs has been heard to take prompts. */
  handshaken = false;

  constructor(parts: { conversation: () => Conversation; keep: Keep; leave: Leave }, lost: boolean) {
    this.#parts = parts;
    this.#lost = lost;
  }

  /** Whether a conversation is lost of which nobody has been told; asking is telling. */
  takeLoss(): boolean {
    const lost = this.#lost;
    this.#lost = false;
    return lost;
  }

  /** A conversation is to be gone on with. */
  get resumes(): boolean {
    return this.#parts.conversation().session !== undefined;
  }

  forget(): void {
    const { conversation, keep } = this.#parts;
    conversation().session = undefined;
    void keep.forget();
  }

  /** It would not go on with the conversation, before any prompt: the next prompt is told so. */
  beginAnew(): void {
    this.#lost = true;
    this.forget();
    this.restart();
  }

  restart(): void {
    void this.#parts
      .conversation()
      .kill()
      .then(() => this.begin());
  }

  /** Starts the process again. */
  async begin(): Promise<void> {
    const { leave, conversation } = this.#parts;
    if (leave.ending) return leave.end({ code: null, signal: 'SIGTERM' }, 143, 'The agent was stopped.');
    this.handshaken = false;
    try {
      const agent = await conversation().start();
      if (leave.ending) agent.signal('SIGTERM');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      leave.end({ code: 126, signal: null }, 126, `The agent could not be restarted: ${message}.`);
    }
  }
}
