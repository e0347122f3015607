import type { TurnEnd } from '../../src/agents/dialogue.ts';
import { rejectInput, SECOND_PROMPT, type WorkloadContext } from '../workload.ts';
import { type Prompt, STOP_MESSAGES } from './turn.ts';

/** A prompt of the input stream, as it was read. */
interface PromptMessage {
  content: string;
  request_id?: string | undefined;
  deadline_seconds?: number | undefined;
}

/** Prompts that wait for their turn: those of the input stream, and those of a pool's queue, in the order they came. */
export class PromptQueue {
  readonly #context: WorkloadContext;
  readonly #waiting: Prompt[] = [];
  #taken = 0;

  constructor(context: WorkloadContext) {
    this.#context = context;
  }

  get length(): number {
    return this.#waiting.length;
  }

  next(): Prompt | undefined {
    return this.#waiting.shift();
  }

  /** Adds a prompt of the input; a worker that ends after its first prompt rejects others. */
  add(
    entryId: string,
    { content, request_id: requestId, deadline_seconds: deadlineSeconds }: PromptMessage,
  ): void {
    if (this.#context.spec.exit_after_prompt && this.#taken > 0) {
      rejectInput(entryId, requestId, 'stdin_closed', SECOND_PROMPT, this.#context);
      return;
    }
    this.#taken += 1;
    this.#waiting.push({ entryId, content, requestId, deadlineSeconds });
  }

  /**
   * Adds a prompt from another source; settles with its end. If the signal fires after its start, `stop` is
   * called.
   */
  request(
    message: Omit<Prompt, 'entryId' | 'onEnd'>,
    signal: AbortSignal,
    stop: (prompt: Prompt) => void,
  ): Promise<TurnEnd> {
    return new Promise((resolve) => {
      const prompt: Prompt = { ...message, entryId: undefined, onEnd: resolve };
      const never = (message: string) => resolve({ ok: false, reason: 'interrupted', message });
      if (signal.aborted) return never('');
      const aborted = () => {
        const at = this.#waiting.indexOf(prompt);
        if (at < 0) return stop(prompt);
        this.#waiting.splice(at, 1);
        never(STOP_MESSAGES.interrupted ?? '');
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.#waiting.push(prompt);
    });
  }
}
