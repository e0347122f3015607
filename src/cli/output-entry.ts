import type { OutputMessage } from '../model/index.ts';
import type { CliOutput } from './output.ts';

/** `text`: for people. `raw`: only the agent's own output, unchanged. `json`: the entry on one line. */
export type Style = 'text' | 'raw' | 'json';

/** Whether the last text had no newline, so that the next entry must start a new line. */
const unfinished = new WeakSet<CliOutput>();

/** Prints an entry of an output stream; stderr goes to stderr. */
export async function printEntry(out: CliOutput, entry: OutputMessage, style: Style): Promise<void> {
  if (style === 'json') return out.jsonLine(entry);
  const { type, content = '', partial, base64 } = entry;
  if (type === 'stdout' || type === 'stderr') {
    const end = partial ? '' : '\n';
    if (style === 'raw' && typeof base64 === 'string')
      return out.bytes(Buffer.concat([Buffer.from(base64, 'base64'), Buffer.from(end)]), type);
    if (partial) unfinished.add(out);
    else unfinished.delete(out);
    const text = `${content}${end}`;
    // A pipe or a file gets the agent's output unchanged; only a terminal interprets control characters.
    return out.isTerminal && style !== 'raw' ? out.text(text, type) : out.bytes(text, type);
  }
  if (style === 'raw') return;
  if (unfinished.delete(out)) await out.bytes('\n');
  await out.line(`[${type}] ${content}`.trimEnd(), type === 'gap' ? 'warn' : 'dim');
}
