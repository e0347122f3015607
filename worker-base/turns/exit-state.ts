import type { Exit } from '../agent/exit.ts';
import type { ShutdownReason } from '../shutdown.ts';
import type { WorkloadResult } from '../workload.ts';

/** How the workload of a body ends: on request, after its only prompt, or because its agent has exited. */
export class ExitState {
  readonly #over: (result: WorkloadResult) => void;
  #after: { code: number; answered: Promise<WorkloadResult['answered']> } | undefined;
  #isOver = false;
  /** Why the body was asked to end. */
  reason: ShutdownReason | undefined;

  constructor(over: (result: WorkloadResult) => void) {
    this.#over = over;
  }

  /** Not requested to end, and not done with the only prompt. */
  get staying(): boolean {
    return this.reason === undefined && this.#after === undefined;
  }

  /** The only prompt is handled: this is the body's exit code, whatever the agent does afterwards. */
  get afterPrompt(): boolean {
    return this.#after !== undefined;
  }

  begin(code: number, answered: Promise<WorkloadResult['answered']>): void {
    this.#after = { code, answered };
  }

  /** The agent has exited; the first end counts. */
  end(exit: Exit, code: number, sentence: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const after = this.#after;
    if (!after) this.#over({ exit, code: this.reason === 'shutdown' ? 0 : code, sentence });
    else void after.answered.then((answered) => this.#over({ code: after.code, exit, sentence, answered }));
  }
}
