import type { WorkerSpec } from '../src/model/spec.ts';
import { type Agent, codeOf, type Exit } from './agent.ts';
import type { Driver } from './driver.ts';
import type { Why } from './ending.ts';
import type { InputEntry } from './input.ts';
import type { Piece } from './lines.ts';
import { readMessage } from './message.ts';
import type { Output } from './output.ts';

/** Characters of the agent's last output that `completed` carries; the whole of it is in the stream. */
const RESULT_LIMIT = 16_384;

interface Parts {
  spec: WorkerSpec;
  driver: Driver;
  agent: Agent;
  output: Output;
  acknowledge: (id: string) => Promise<void>;
  end: (why: Why) => void;
  setBusy: (busy: boolean) => void;
}

/**
 * What is asked of the agent, and what comes of it. In headless mode (`exit_after_prompt`) the first prompt is the only
 * one, and it is acknowledged when it is answered: a body that fails leaves it to the next incarnation.
 */
export class Turns {
  readonly #parts: Parts;
  #headless: { entryId: string } | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #tail = '';
  #over = false;
  /** The latest prompt's; what the agent writes from then on carries it. */
  requestId: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes an entry of the input stream, whatever it holds. */
  handle(entry: InputEntry): void {
    if (this.#over) return;
    const { agent, output, acknowledge, end } = this.#parts;
    const read = readMessage(entry.data);
    if (!read.ok) {
      const list = read.issues.map(({ path, message }) => (path ? `${path} ${message}` : message)).join('; ');
      this.#fail(entry, read.requestId, 'invalid_input', `The input was refused: ${list}.`, {
        issues: read.issues,
      });
      return;
    }
    const { message } = read;
    if (message.type === 'prompt') {
      if (this.#headless) {
        const content = 'This worker ends after its first prompt, and takes no other.';
        this.#fail(entry, message.request_id, 'stdin_closed', content);
      } else {
        void this.#prompt(entry, message.content, message.request_id, message.deadline_seconds);
      }
      return;
    }
    void acknowledge(entry.id);
    if (message.type === 'interrupt') agent.signal('SIGINT');
    else end('shutdown');
    output.review();
  }

  /** Keeps the end of what the agent says, for the result of a headless turn. */
  hear(stream: 'stdout' | 'stderr', piece: Piece): void {
    if (!this.#headless || stream === 'stderr') return;
    const text = `${piece.text.slice(-RESULT_LIMIT)}${piece.partial ? '' : '\n'}`;
    this.#tail = (this.#tail + text).slice(-RESULT_LIMIT);
  }

  /** The end is told: prompts that come now are left to the next incarnation. */
  close(): void {
    this.#over = true;
    clearTimeout(this.#deadline);
  }

  /** Tells what became of a headless prompt; answers the entry that is to be acknowledged, if it was answered. */
  conclude(exit: Exit, why: Why | undefined): string | undefined {
    if (!this.#headless) return undefined;
    const { output } = this.#parts;
    const fields = { request_id: this.requestId, exit_code: codeOf(exit) };
    if (why === 'deadline') {
      output.tell('turn_failed', 'The prompt was not answered before its deadline.', {
        reason: 'deadline',
        ...fields,
      });
    } else if (why) {
      output.tell('turn_failed', 'The worker was stopped before the prompt was answered.', {
        reason: 'stopped',
        ...fields,
      });
    } else if (exit.code === 0) {
      output.tell('completed', this.#tail.replace(/\n$/, ''), fields);
      return this.#headless.entryId;
    } else {
      output.tell('turn_failed', `The agent failed: it ended with code ${codeOf(exit)}.`, {
        reason: 'exit',
        ...fields,
      });
    }
    return undefined;
  }

  async #prompt(
    entry: InputEntry,
    content: string,
    requestId: string | undefined,
    deadlineSeconds: number | undefined,
  ) {
    const { spec, driver, agent, output, acknowledge, end, setBusy } = this.#parts;
    this.requestId = requestId;
    output.tell('turn_started', '', { request_id: requestId, entry_id: entry.id });
    const written = agent.write(driver.encodePrompt(content));
    setBusy(spec.exit_after_prompt === true);
    if (spec.exit_after_prompt) {
      this.#headless = { entryId: entry.id };
      agent.closeInput();
      if (deadlineSeconds) this.#deadline = setTimeout(() => end('deadline'), deadlineSeconds * 1000);
      return;
    }
    const failure = await written;
    if (failure === undefined) await acknowledge(entry.id);
    else if (!this.#over) {
      const sentence =
        failure === 'stdin_full'
          ? 'The agent does not read its input, and more prompts wait than are kept.'
          : 'The agent has closed its input.';
      this.#fail(entry, requestId, failure, sentence);
    }
  }

  #fail(
    entry: InputEntry,
    requestId: string | undefined,
    reason: string,
    content: string,
    more: object = {},
  ): void {
    const fields = { reason, request_id: requestId, entry_id: entry.id, ...more };
    this.#parts.output.tell('turn_failed', content, fields);
    void this.#parts.acknowledge(entry.id);
  }
}
