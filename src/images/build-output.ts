import { clean, LineJoiner, StepLines } from './build-lines.ts';
import type { EngineLine } from './engine-stream.ts';

export interface BuildProgress {
  /** The step that has begun, and how many there are; 0 of 0 before the first. */
  step: number;
  of: number;
  /** The step as the classic builder writes it, such as `Step 3/12 : RUN apt-get …`. */
  line: string;
}

/** Follows what a builder prints. */
export interface BuildOutput {
  take(line: EngineLine): void;
  /** Call before reading `step` and `lines` of a build that has ended. */
  end(): void;
  /** The line of the step that failed, else of the one that runs; empty before the first. */
  readonly step: string;
  /** The last lines of that step. */
  readonly lines: readonly string[];
}

const STEP = /^Step (\d+)\/(\d+) : /;

/** The output of the classic builder: plain text, one step after the other. */
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
    // The builder ends the line of a step later, and the step has begun.
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
