import type { OutputMessage } from '../../model/index.ts';
import { printable } from '../../telemetry/printable.ts';
import { type CliOutput, isData } from './output.ts';

/**
 * `text`: for people. `plain`: only what the agent writes and says. `raw`: only the agent's own stdout and stderr,
 * unchanged. `json` and `yaml`: each entry as a document.
 */
export type Style = 'text' | 'plain' | 'raw' | 'json' | 'yaml';

/** The worker that an entry is from; `label` is printed in front of its lines. */
export interface EntrySource {
  id: string;
  label?: string | undefined;
}

/** SGR codes of labels on a terminal, one after the other. */
const COLORS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** Prints entries of output streams; stderr goes to stderr. */
export class EntryPrinter {
  readonly #out: CliOutput;
  readonly #style: Style;
  readonly #timestamps: boolean;
  readonly #colors = new Map<string, number>();
  /** The widest label so far, so that the lines start in the same column. */
  #width = 0;
  /** A line without its newline, which the next entry may continue. */
  #open: { id: string; stream: 'stdout' | 'stderr' } | undefined;

  /** `labels` are those that are known before the first entry, for the width of their column. */
  constructor(
    out: CliOutput,
    style: Style,
    { timestamps = false, labels = [] as (string | undefined)[] } = {},
  ) {
    this.#out = out;
    this.#style = style;
    this.#timestamps = timestamps;
    this.#width = Math.max(0, ...labels.map((label) => label?.length ?? 0));
  }

  async print(entry: OutputMessage, source: EntrySource): Promise<void> {
    const style = this.#style;
    if (isData(style)) return this.#out.item(style, { worker_id: source.id, ...entry });
    const { type, content = '', partial, base64 } = entry;
    if (type === 'stdout' || type === 'stderr') {
      const end = partial ? '' : '\n';
      if (style === 'raw' && typeof base64 === 'string')
        return this.#out.bytes(Buffer.concat([Buffer.from(base64, 'base64'), Buffer.from(end)]), type);
      return this.#write(`${content}${end}`, type, entry, source);
    }
    if (style === 'raw' || (style === 'plain' && type !== 'message' && type !== 'gap')) return;
    await this.#endLine();
    const isMessage = style === 'plain' && type === 'message';
    const text = isMessage ? content : `[${type}] ${content}`.trimEnd();
    const tone = type === 'gap' ? 'warn' : isMessage ? undefined : 'dim';
    const prefix = this.#prefix(entry, source);
    if (prefix === '') return this.#out.line(text, tone);
    for (const line of text.split('\n')) {
      await this.#out.bytes(prefix);
      await this.#out.line(line, tone);
    }
  }

  /** Ends a line that has no newline yet. */
  async #endLine(): Promise<void> {
    if (this.#open) await this.#out.bytes('\n', this.#open.stream);
    this.#open = undefined;
  }

  async #write(
    text: string,
    stream: 'stdout' | 'stderr',
    entry: OutputMessage,
    source: EntrySource,
  ): Promise<void> {
    const out = this.#out;
    const prefix = this.#style === 'raw' ? '' : this.#prefix(entry, source);
    const open = this.#open;
    if (prefix !== '' && open && (open.id !== source.id || open.stream !== stream)) await this.#endLine();
    const continues = this.#open !== undefined;
    this.#open = text.endsWith('\n') ? undefined : { id: source.id, stream };
    // A pipe or a file gets the agent's output unchanged; only a terminal interprets control characters.
    const safe = out.isTerminal && this.#style !== 'raw' ? printable(text) : text;
    const lines = prefix === '' ? safe : safe.replace(/\n(?!$)/g, `\n${prefix}`);
    await out.bytes(continues ? lines : `${prefix}${lines}`, stream);
  }

  /** The label and the time, if they are wanted. */
  #prefix({ timestamp }: OutputMessage, { id, label }: EntrySource): string {
    const time = this.#timestamps ? `${printable(timestamp)} ` : '';
    if (label === undefined) return time;
    this.#width = Math.max(this.#width, label.length);
    const name = `${label.padEnd(this.#width)} | `;
    if (!this.#out.isTerminal) return `${name}${time}`;
    const color = this.#colors.get(id) ?? COLORS[this.#colors.size % COLORS.length] ?? 0;
    this.#colors.set(id, color);
    return `\u001b[${color}m${name}\u001b[0m${time}`;
  }
}
