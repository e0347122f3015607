import { clean, LineJoiner, StepLines } from './build-lines.ts';
import type { EngineLine } from './engine-stream.ts';

export interface BuildProgress {
  /** The current step and the number of steps; 0 of 0 before the first. */
  step: number;
  of: number;
  /** The step as the classic builder prints it, such as `Step 3/12 : RUN apt-get …`. */
  line: string;
}

/** Parses the output of a builder. */
export interface BuildOutput {
  take(line: EngineLine): void;
  /** Call this before reading `step` and `lines` of a finished build. */
  end(): void;
  /** The line of the failed step, or else of the running one; empty before the first. */
  readonly step: string;
  /** The last lines of that step. */
  readonly lines: readonly string[];
}

const STEP = /^Step (\d+)\/(\d+) : /;

/** The output of the classic builder: plain text, one step after another. */
export class ClassicOutput implements BuildOutput {
  readonly #onStep: (progress: BuildProgress) => void;
  readonly #joiner = new LineJoiner();
  #lines = new StepLines();
  step = '';

  constructor(onStep: (progress: BuildProgress) => void) {
    this.#onStep = onStep;
  }

  take({ stream, status }: EngineLine): void {
    if (stream !== undefined) this.#take(stream);
    else if (status !== undefined) {
      this.end();
      this.#take(`${status}\n`);
    }
  }

  end(): void {
    this.#add(this.#joiner.end());
  }

  get lines(): readonly string[] {
    return this.#lines.lines;
  }

  #take(text: string): void {
    for (const line of this.#joiner.take(text)) this.#add(line);
    // The builder prints the end of a step's line later, but the step has already started.
    if (STEP.test(this.#joiner.rest)) this.end();
  }

  #add(text: string): void {
    const line = clean(text).trimEnd();
    const [, number, of] = STEP.exec(line) ?? [];
    if (number === undefined) {
      this.#lines.add(text);
      return;
    }
    this.step = line;
    this.#lines = new StepLines();
    this.#onStep({ step: Number(number), of: Number(of), line });
  }
}
