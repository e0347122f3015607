import type { Dialogue } from '../../src/agents/dialogue.ts';
import { tailOf } from '../../src/model/cut.ts';
import { type LongTimer, setLongTimer } from '../../src/queue/long-timer.ts';
import { Agent, type AgentOrder } from '../agent/agent-process.ts';
import { codeOf, describe, type Exit } from '../agent/exit.ts';
import type { Why } from '../shutdown.ts';
import type { Piece } from '../streams/entry.ts';
import type { InputEntry } from '../streams/input.ts';
import { LAST_OUTPUT_CHARACTERS } from '../streams/limits.ts';
import { type Over, open, refuse, SECOND_PROMPT, type Surroundings, type Work } from '../workload.ts';

/**
 * Work with an agent whose turns cannot be heard: prompts are handed on as they come, and its lines go out as they
 * are. In headless mode (`exit_after_prompt`) the first prompt is the only one, and it is acknowledged when it is
 * answered: a body that fails leaves it to the next incarnation.
 */
export class Handover implements Work {
  readonly #around: Surroundings;
  readonly #dialogue: Dialogue;
  #agent: Agent | undefined;
  #headless: { entryId: string } | undefined;
  #deadline: LongTimer | undefined;
  #tail = '';
  #why: Why | undefined;
  #closed = false;
  /** The latest prompt's; what the agent writes from then on carries it. */
  #requestId: string | undefined;
  over: Promise<Over> = new Promise(() => {});

  constructor(around: Surroundings, dialogue: Dialogue) {
    this.#around = around;
    this.#dialogue = dialogue;
  }

  get pid(): number {
    return this.#agent?.pid ?? 0;
  }

  /** Starts the agent; throws what the system says where it cannot. */
  async start(order: Pick<AgentOrder, 'argv' | 'cwd' | 'env' | 'killRest'>): Promise<void> {
    const { output, pulse } = this.#around;
    const agent = await Agent.start({
      ...order,
      onBytes: () => pulse.touch(),
      onPiece: (stream, piece) => {
        pulse.touch();
        output.write(stream, piece, this.#requestId);
        this.#hear(stream, piece);
        if (output.full) agent.pause();
      },
    });
    this.#agent = agent;
    this.over = this.#conclude(agent);
  }

  handle(entry: InputEntry): void {
    if (this.#closed) return;
    const message = open(entry, this.#around);
    if (!message) return;
    if (message.type === 'prompt') {
      if (this.#headless) {
        refuse(entry.id, message.request_id, 'stdin_closed', SECOND_PROMPT, this.#around);
      } else {
        void this.#prompt(entry, message.content, message.request_id, message.deadline_seconds);
      }
      return;
    }
    void this.#around.acknowledge(entry.id);
    if (message.type === 'interrupt') this.#agent?.signal('SIGINT');
    else this.#around.end('shutdown');
    this.#around.output.review();
  }

  end(why: Why): void {
    this.#why ??= why;
    this.#close();
    this.#agent?.closeInput();
    this.#agent?.signal('SIGTERM');
  }

  kill(): void {
    this.#agent?.kill();
  }

  resume(): void {
    this.#agent?.resume();
  }

  settled(): Promise<unknown> {
    return Promise.resolve();
  }

  /** The end is told: prompts that come now are left to the next incarnation. */
  #close(): void {
    this.#closed = true;
    this.#deadline?.cancel();
  }

  /** Keeps the end of what the agent says, for the result of a headless turn. */
  #hear(stream: 'stdout' | 'stderr', piece: Piece): void {
    if (!this.#headless || stream === 'stderr') return;
    const text = `${tailOf(piece.text, LAST_OUTPUT_CHARACTERS)}${piece.partial ? '' : '\n'}`;
    this.#tail = tailOf(this.#tail + text, LAST_OUTPUT_CHARACTERS);
  }

  async #conclude(agent: Agent): Promise<Over> {
    const exit = await agent.exited;
    this.#close();
    this.#around.leaving();
    await agent.gather(this.#around.hardAt);
    const answered = this.#tellHeadless(exit);
    return {
      exit,
      code: this.#why === 'shutdown' ? 0 : codeOf(exit),
      sentence: describe(exit),
      answered: answered === undefined ? undefined : { id: answered, also: () => {} },
    };
  }

  /** Reports the result of a headless prompt; returns its entry, if it was answered. */
  #tellHeadless(exit: Exit): string | undefined {
    if (!this.#headless) return undefined;
    const { output } = this.#around;
    const fields = { request_id: this.#requestId, exit_code: codeOf(exit) };
    const fail = (reason: string, content: string) =>
      output.tell('turn_failed', content, { reason, ...fields });
    if (this.#why === 'deadline') fail('deadline', 'The prompt was not answered before its deadline.');
    else if (this.#why) fail('stopped', 'The worker was stopped before the prompt was answered.');
    else if (exit.code === 0) {
      output.tell('completed', this.#tail.replace(/\n$/, ''), fields);
      return this.#headless.entryId;
    } else fail('exit', `The agent failed: it exited with code ${codeOf(exit)}.`);
    return undefined;
  }

  async #prompt(
    entry: InputEntry,
    content: string,
    requestId: string | undefined,
    deadlineSeconds: number | undefined,
  ): Promise<void> {
    const { spec, output, acknowledge, end, pulse } = this.#around;
    const agent = this.#agent;
    if (!agent) return;
    this.#requestId = requestId;
    output.tell('turn_started', '', { request_id: requestId, entry_id: entry.id });
    const written = agent.write(this.#dialogue.prompt(content).write ?? '');
    pulse.busy = spec.exit_after_prompt === true;
    pulse.touch();
    if (spec.exit_after_prompt) {
      this.#headless = { entryId: entry.id };
      agent.closeInput();
      if (deadlineSeconds) this.#deadline = setLongTimer(() => end('deadline'), deadlineSeconds * 1000);
      return;
    }
    const failure = await written;
    if (failure === undefined) await acknowledge(entry.id);
    else if (!this.#closed) {
      const sentence =
        failure === 'stdin_full'
          ? 'The agent does not read its input, and too many prompts are waiting.'
          : 'The agent has closed its input.';
      refuse(entry.id, requestId, failure, sentence, this.#around);
    }
  }
}
