import { Option } from 'commander';
import { printable } from '../telemetry/printable.ts';

export type Format = 'table' | 'json';

/** `-o json`, the same for every verb that prints. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'output format').choices(['table', 'json']).default('table');
}

/** The SGR code that highlights a line on a terminal. */
const STYLES = { dim: 2, warn: 33 } as const;

/**
 * The only code that writes to a terminal. Text from workers, tasks, files and errors may contain escape sequences that
 * change the window title, move the cursor or send input; every method except `bytes` removes them. All methods wait
 * for slow readers.
 */
export class CliOutput {
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Whether stdout is a terminal. */
  get isTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** One JSON document. */
  json(value: unknown): Promise<void> {
    return this.bytes(`${safeJson(value, 2)}\n`);
  }

  /** One JSON value on one line. */
  jsonLine(value: unknown): Promise<void> {
    return this.bytes(`${safeJson(value)}\n`);
  }

  /** One or more lines; a style applies only on a terminal. */
  line(text: string, style?: keyof typeof STYLES): Promise<void> {
    const safe = printable(text);
    return this.bytes(`${style && this.isTerminal ? `\u001b[${STYLES[style]}m${safe}\u001b[0m` : safe}\n`);
  }

  /** Text without control characters, otherwise unchanged. */
  text(text: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    return this.bytes(printable(text), stream);
  }

  /** Exactly these bytes: output that the user requested unchanged. */
  bytes(text: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    const target = stream === 'stdout' ? this.#stdout : this.#stderr;
    if (target.write(text)) return Promise.resolve();
    return new Promise((resolve) => target.once('drain', resolve));
  }

  /** A line besides the result, on stderr. */
  note(text: string): void {
    this.#stderr.write(`${printable(text)}\n`);
  }
}

/** JSON escapes C0 control characters, but not DEL and C1, which some terminals interpret. */
function safeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent) ?? 'null';
  return json.replace(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
