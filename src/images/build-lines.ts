import { takeHead, takeTail } from '../model/index.ts';
import { redactText } from '../telemetry/redact.ts';

/** Maximum lines kept of a running step, and maximum characters of each. */
const KEPT_LINES = 500;
const LINE_LENGTH = 300;
/** Maximum characters of an unfinished line; a progress bar may never finish one. */
const REST_LENGTH = 10_000;

/** Joins the chunks that the engine sends into lines. */
export class LineJoiner {
  #rest = '';

  /** Returns the lines that this piece completes. */
  take(text: string): string[] {
    const lines = (this.#rest + text).split(/[\r\n]+/);
    this.#rest = takeTail(lines.pop() ?? '', REST_LENGTH);
    return lines;
  }

  /** The start of a line whose end has not arrived. */
  get rest(): string {
    return this.#rest;
  }

  /** Returns the unfinished line when no more chunks follow. */
  end(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }
}

/** The last lines of a step, sanitized; empty lines are dropped. */
export class StepLines {
  readonly lines: string[] = [];

  add(text: string): void {
    const line = clean(text).trimEnd();
    if (line === '') return;
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
  }
}

/** Removes control sequences and credentials, and limits the length. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const bare = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return redactText(takeHead(bare, LINE_LENGTH));
}
