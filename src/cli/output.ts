import { Option } from 'commander';

export type Format = 'table' | 'json';

/** `-o json`, the same on every verb that prints. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table');
}

/** Where a verb prints: one result, as a document or for people. Waits for slow readers. */
export class Output {
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Whether a person's terminal is on the other side, which control characters would steer. */
  get isTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** One JSON document. */
  json(value: unknown): Promise<void> {
    return this.line(JSON.stringify(value, null, 2));
  }

  line(text: string): Promise<void> {
    return this.text(`${text}\n`);
  }

  text(text: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    const target = stream === 'stdout' ? this.#stdout : this.#stderr;
    if (target.write(text)) return Promise.resolve();
    return new Promise((resolve) => target.once('drain', resolve));
  }

  /** A word beside the result, for people only. */
  note(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  /** Dimmed on a terminal. */
  dim(text: string): string {
    return this.isTerminal ? `\u001b[2m${text}\u001b[0m` : text;
  }

  /** Set off on a terminal. */
  warn(text: string): string {
    return this.isTerminal ? `\u001b[33m${text}\u001b[0m` : text;
  }
}
