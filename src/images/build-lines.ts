import { takeHead, takeTail } from '../model/index.ts';
import { redactText } from '../telemetry/redact.ts';

/** Lines of a step that are kept until it has ended, and characters of each. */
const KEPT_LINES = 500;
const LINE_LENGTH = 300;
/** Characters of a line that is not finished; a progress bar may never finish one. */
const REST_LENGTH = 10_000;

/** Puts lines together from the pieces in which the engine sends them. */
export class LineJoiner {
  #rest = '';

  /** Returns the lines that this piece completes. */
  take(text: string): string[] {
    const lines = (this.#rest + text).split(/[\r\n]+/);
    this.#rest = takeTail(lines.pop() ?? '', REST_LENGTH);
    return lines;
  }

  /** The beginning of a line whose end has not arrived. */
  get rest(): string {
    return this.#rest;
  }

  /** Returns the unfinished line: nothing follows on it. */
  end(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }
}

/** The last lines of a step, clean; empty ones are left out. */
export class StepLines {
  readonly lines: string[] = [];

  add(text: string): void {
    const line = clean(text).trimEnd();
    if (line === '') return;
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
  }
}

/** Without control sequences and credentials, and no longer than a line should be. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const bare = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return redactText(takeHead(bare, LINE_LENGTH));
}
