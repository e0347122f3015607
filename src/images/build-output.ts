import { takeHead, takeTail } from '../model/index.ts';
import { redactText } from '../telemetry/redact.ts';

/** Lines of a step that are kept until it has ended, and characters of each. */
const KEPT_LINES = 500;
const LINE_LENGTH = 300;
/** Characters of a line that is not finished; a progress bar may never finish one. */
const REST_LENGTH = 10_000;
const STEP = /^Step (\d+)\/(\d+) : /;

/** What a build prints, put together from the pieces in which the engine sends it: its steps, and the lines of the last one. */
export class BuildOutput {
  readonly #onStep: (step: { step: number; of: number; line: string }) => void;
  #lines: string[] = [];
  #rest = '';
  /** The line of the step that runs; empty before the first. */
  step = '';

  constructor(onStep: (step: { step: number; of: number; line: string }) => void) {
    this.#onStep = onStep;
  }

  /** Takes a piece of the text; a line may go on in the next one. */
  take(text: string): void {
    const lines = (this.#rest + text).split(/[\r\n]+/);
    this.#rest = takeTail(lines.pop() ?? '', REST_LENGTH);
    for (const line of lines) this.#add(line);
    // The builder ends the line of a step later, and the step has begun.
    if (STEP.test(this.#rest)) this.end();
  }

  /** Takes a whole line. */
  takeLine(text: string): void {
    this.end();
    this.take(`${text}\n`);
  }

  /** Nothing follows on the last line. */
  end(): void {
    this.#add(this.#rest);
    this.#rest = '';
  }

  /** Of the step that runs. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  #add(text: string): void {
    const line = clean(text).trimEnd();
    if (line === '') return;
    const [, number, of] = STEP.exec(line) ?? [];
    if (number !== undefined) {
      this.step = line;
      this.#lines = [];
      this.#onStep({ step: Number(number), of: Number(of), line });
      return;
    }
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }
}

/** Without control sequences and credentials, and no longer than a line should be. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const bare = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return redactText(takeHead(bare, LINE_LENGTH));
}
