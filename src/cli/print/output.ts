import { Option } from 'commander';
import { printable } from '../../telemetry/printable.ts';

/** `wide`: a table with more columns, not cut. `name`: only what other verbs accept, such as `worker/ID`. */
const FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

/** `-o`, the same for every verb that prints; `not` are formats that it does not have. */
export function outputOption(not: readonly Format[] = []): Option {
  const formats = FORMATS.filter((format) => !not.includes(format));
  return new Option('-o, --output <format>', 'output format').choices(formats).default('table');
}

/** `-o` of a verb whose output is a stream of entries. */
export const streamOption = (): Option => outputOption(['wide', 'name']);

/** Whether a format is for programs and has all fields. */
export const isData = (format: string): format is 'json' | 'yaml' => format === 'json' || format === 'yaml';

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

  /** Number of columns of the terminal; undefined if stdout is not one. */
  get columns(): number | undefined {
    return this.isTerminal ? this.#stdout.columns : undefined;
  }

  /** One document, in the format. */
  async data(format: 'json' | 'yaml', value: unknown): Promise<void> {
    return format === 'json' ? this.json(value) : this.bytes(await toYaml(value));
  }

  /** One of several documents: a line of JSON, or a YAML document. */
  async item(format: 'json' | 'yaml', value: unknown): Promise<void> {
    return format === 'json' ? this.jsonLine(value) : this.bytes(`---\n${await toYaml(value)}`);
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

/** YAML without control characters: every text that has one is quoted, with JSON's escapes. */
async function toYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  // Through JSON, like the other format: no `undefined`, and dates are texts.
  const plain = JSON.parse(JSON.stringify(value) ?? 'null');
  const text = stringify(plain, { lineWidth: 0 });
  if (printable(text) === text) return text;
  return stringify(plain, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE' }).replace(
    CONTROLS,
    escapeControl,
  );
}

const CONTROLS = /[\u007f-\u009f]/g;
const escapeControl = (char: string) => `\\u00${char.charCodeAt(0).toString(16)}`;

/** JSON escapes C0 control characters, but not DEL and C1, which some terminals interpret. */
function safeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent) ?? 'null';
  return json.replace(CONTROLS, escapeControl);
}
