import { createToolMap } from '../../src/agents/bounded-map.ts';
import type { AgentEvent, TurnEnd, TurnFailure } from '../../src/agents/dialogue.ts';
import { type LongTimer, setLongTimer } from '../../src/queue/long-timer.ts';
import { detectHang, readCpuSeconds } from './hang-detector.ts';

/** A request to the agent. */
export interface Prompt {
  /**
   * The entry of the input stream; undefined for a prompt from another source, which gets its end instead.
   */
  entryId: string | undefined;
  onEnd?: (end: TurnEnd) => void;
  content: string;
  requestId: string | undefined;
  deadlineSeconds: number | undefined;
}

interface Clocks {
  silenceMs: number;
  /** When the model last sent a byte, by performance.now(). */
  modelByteAt: () => number;
  /** The agent's process group. */
  pid: () => number | undefined;
  /** The turn has taken too long. */
  onOver: (why: 'deadline' | 'silent') => void;
}

/** A running turn with its timeouts and the state that they check. */
export class Turn {
  readonly prompt: Prompt;
  readonly #begin = performance.now();
  readonly #tools = createToolMap();
  readonly #quiet: { stop(): void };
  #signAt = performance.now();
  #unreadable = 0;
  #deadline: LongTimer | undefined;
  #force: NodeJS.Timeout | undefined;
  /** Why its end was requested; the first reason counts. */
  stopReason: TurnFailure | undefined;
  /** The agent is being killed; its further output does not count. */
  forced = false;

  constructor(prompt: Prompt, clocks: Clocks) {
    this.prompt = prompt;
    if (prompt.deadlineSeconds !== undefined)
      this.#deadline = setLongTimer(() => clocks.onOver('deadline'), prompt.deadlineSeconds * 1000);
    this.#quiet = detectHang({
      silenceMs: clocks.silenceMs,
      sample: () => ({
        signAt: Math.max(this.#signAt, clocks.modelByteAt()),
        toolOpen: this.#tools.size > 0,
      }),
      cpuSeconds: () => {
        const pid = clocks.pid();
        return pid === undefined ? undefined : readCpuSeconds(pid);
      },
      onSilent: () => clocks.onOver('silent'),
    });
  }

  seconds(): number {
    return (performance.now() - this.#begin) / 1000;
  }

  /**
   * A readable line, or any line on stderr. A retry of the model is not a sign of life, because an agent
   * whose model hangs reports retries for an hour.
   */
  sign(retrying = false): void {
    if (!retrying) this.#signAt = performance.now();
    this.#unreadable = 0;
  }

  /** A line that is not part of the protocol; returns how many there were in a row. */
  garble(): number {
    this.#signAt = performance.now();
    this.#unreadable += 1;
    return this.#unreadable;
  }

  note(event: AgentEvent): void {
    if (event.type === 'tool_use') this.#tools.set(event.tool_use_id, event.tool);
    else if (event.type === 'tool_result') this.#tools.delete(event.tool_use_id);
  }

  /** Requests the end: `force` is called if the turn has not ended within `ms`. */
  onForce(ms: number, force: () => void): void {
    this.#force = setTimeout(force, ms);
  }

  stopClocks(): void {
    this.#deadline?.cancel();
    clearTimeout(this.#force);
    this.#quiet.stop();
  }
}

/** The message for users if the agent has none. */
export const STOP_MESSAGES: Partial<Record<TurnFailure, string>> = {
  interrupted: 'The turn was interrupted.',
  deadline: 'The prompt was not answered before its deadline.',
  silent: 'The agent was inactive: no output, no tool use, no CPU usage.',
  garbage: 'The output of the agent does not follow its protocol.',
  stopped: 'The worker was stopped before the turn had ended.',
};
