import type { Dialogue } from '../../src/agents/dialogue.ts';
import { takeTail } from '../../src/model/values/cut.ts';
import { type LongTimer, setLongTimer } from '../../src/queue/long-timer.ts';
import { AgentProcess, type AgentProcessOptions } from '../agent/agent-process.ts';
import { describeExit, type Exit, getExitCode } from '../agent/exit.ts';
import type { ShutdownReason } from '../shutdown.ts';
import type { Piece } from '../streams/entry.ts';
import type { InputEntry } from '../streams/input.ts';
import { LAST_OUTPUT_CHARACTERS } from '../streams/limits.ts';
import {
  parseInput,
  rejectInput,
  SECOND_PROMPT,
  type Workload,
  type WorkloadContext,
  type WorkloadResult,
} from '../workload.ts';

/**
 * The workload of an agent that does not report its turns: prompts are passed on as they arrive, and its
 * lines are sent unchanged. In headless mode (`exit_after_prompt`) the first prompt is the only one, and it
 * is acknowledged when it is handled, so a body that fails leaves it to the next incarnation.
 */
export class PlainWorkload implements Workload {
  readonly #context: WorkloadContext;
  readonly #dialogue: Dialogue;
  #agent: AgentProcess | undefined;
  #headless: { entryId: string } | undefined;
  #deadline: LongTimer | undefined;
  #tail = '';
  #reason: ShutdownReason | undefined;
  #closed = false;
  /** The latest prompt's request; the agent's output has it from then on. */
  #requestId: string | undefined;
  result: Promise<WorkloadResult> = new Promise(() => {});

  constructor(context: WorkloadContext, dialogue: Dialogue) {
    this.#context = context;
    this.#dialogue = dialogue;
  }

  get pid(): number {
    return this.#agent?.pid ?? 0;
  }

  /** Starts the agent; throws the system's error if it cannot be started. */
  async start(order: Pick<AgentProcessOptions, 'argv' | 'cwd' | 'env' | 'killRest'>): Promise<void> {
    const { output, heartbeat } = this.#context;
    const agent = await AgentProcess.start({
      ...order,
      onBytes: () => heartbeat.touch(),
      onPiece: (stream, piece) => {
        heartbeat.touch();
        output.write(stream, piece, this.#requestId);
        this.#receive(stream, piece);
        if (output.full) agent.pause();
      },
    });
    this.#agent = agent;
    this.result = this.#conclude(agent);
  }

  handle(entry: InputEntry): void {
    if (this.#closed) return;
    const message = parseInput(entry, this.#context);
    if (!message) return;
    if (message.type === 'prompt') {
      if (this.#headless) {
        rejectInput(entry.id, message.request_id, 'stdin_closed', SECOND_PROMPT, this.#context);
      } else {
        void this.#prompt(entry, message.content, message.request_id, message.deadline_seconds);
      }
      return;
    }
    void this.#context.acknowledge(entry.id);
    if (message.type === 'interrupt') this.#agent?.signal('SIGINT');
    else this.#context.end('shutdown');
    this.#context.output.review();
  }

  end(reason: ShutdownReason): void {
    this.#reason ??= reason;
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

  /** The end is reported; later prompts are left to the next incarnation. */
  #close(): void {
    this.#closed = true;
    this.#deadline?.cancel();
  }

  /** Keeps the end of the agent's output, for the result of a headless turn. */
  #receive(stream: 'stdout' | 'stderr', piece: Piece): void {
    if (!this.#headless || stream === 'stderr') return;
    const text = `${takeTail(piece.text, LAST_OUTPUT_CHARACTERS)}${piece.partial ? '' : '\n'}`;
    this.#tail = takeTail(this.#tail + text, LAST_OUTPUT_CHARACTERS);
  }

  async #conclude(agent: AgentProcess): Promise<WorkloadResult> {
    const exit = await agent.exited;
    this.#close();
    this.#context.leaving();
    await agent.gather(this.#context.hardAt);
    const resultText = this.#reportHeadless(exit);
    return {
      exit,
      code: this.#reason === 'shutdown' ? 0 : getExitCode(exit),
      sentence: describeExit(exit),
      answered: resultText === undefined ? undefined : { id: resultText, also: () => {} },
    };
  }

  /** Reports the result of a headless prompt; returns its entry, if it was handled. */
  #reportHeadless(exit: Exit): string | undefined {
    if (!this.#headless) return undefined;
    const { output } = this.#context;
    const fields = { request_id: this.#requestId, exit_code: getExitCode(exit) };
    const fail = (reason: string, content: string) =>
      output.emit('turn_failed', content, { reason, ...fields });
    if (this.#reason === 'deadline') fail('deadline', 'The prompt was not answered before its deadline.');
    else if (this.#reason) fail('stopped', 'The worker was stopped before the prompt was answered.');
    else if (exit.code === 0) {
      output.emit('completed', this.#tail.replace(/\n$/, ''), fields);
      return this.#headless.entryId;
    } else fail('exit', `The agent failed: it exited with code ${getExitCode(exit)}.`);
    return undefined;
  }

  async #prompt(
    entry: InputEntry,
    content: string,
    requestId: string | undefined,
    deadlineSeconds: number | undefined,
  ): Promise<void> {
    const { spec, output, acknowledge, end, heartbeat } = this.#context;
    const agent = this.#agent;
    if (!agent) return;
    this.#requestId = requestId;
    output.emit('turn_started', '', { request_id: requestId, entry_id: entry.id });
    const written = agent.write(this.#dialogue.prompt(content).write ?? '');
    heartbeat.busy = spec.exit_after_prompt === true;
    heartbeat.touch();
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
      rejectInput(entry.id, requestId, failure, sentence, this.#context);
    }
  }
}
