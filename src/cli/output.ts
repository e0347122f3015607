import { Option } from 'commander';
import { printable } from '../telemetry/printable.ts';

export type Format = 'table' | 'json';

/** `-o json`, the same on every verb that prints. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'output format').choices(['table', 'json']).default('table');
}

/** How a line is set off on a terminal, as an SGR code. */
const STYLES = { dim: 2, warn: 33 } as const;

/**
 * The only place that writes to a terminal. Text from workers, tasks, files and errors may hold escape sequences that
 * retitle a window, move the cursor or answer as if they were typed; every method but `bytes` removes them.
 * All methods wait for slow readers.
 */
export class Output {
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

  /** One or several lines; a style applies on a terminal only. */
  line(text: string, style?: keyof typeof STYLES): Promise<void> {
    const safe = printable(text);
    return this.bytes(`${style && this.isTerminal ? `\u001b[${STYLES[style]}m${safe}\u001b[0m` : safe}\n`);
  }

  /** Text as it is but for control characters. */
  text(text: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    return this.bytes(printable(text), stream);
  }

  /** Exactly these bytes: output that a user asked for untouched. */
  bytes(text: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    const target = stream === 'stdout' ? this.#stdout : this.#stderr;
    if (target.write(text)) return Promise.resolve();
    return new Promise((resolve) => target.once('drain', resolve));
  }

  /** A line beside the result, on stderr. */
  note(text: string): void {
    this.#stderr.write(`${printable(text)}\n`);
  }
}

/** JSON escapes C0 control characters itself; DEL and C1, which some terminals obey, it leaves as they are. */
function safeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent) ?? 'null';
  return json.replace(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
