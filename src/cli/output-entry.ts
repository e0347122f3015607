import type { OutputMessage } from '../model/index.ts';
import type { Output } from './output.ts';

/** `text`: for people. `raw`: only what the agent itself wrote, untouched. `json`: the entry on one line. */
export type Style = 'text' | 'raw' | 'json';

/** Prints one entry of an output stream; stderr goes to stderr. */
export async function printEntry(out: Output, entry: OutputMessage, style: Style): Promise<void> {
  if (style === 'json') return out.jsonLine(entry);
  const { type, content = '', partial } = entry;
  if (type === 'stdout' || type === 'stderr') {
    const text = `${content}${partial ? '' : '\n'}`;
    // A pipe or a file gets what the agent wrote; only a terminal obeys control characters.
    return out.isTerminal && style !== 'raw' ? out.text(text, type) : out.bytes(text, type);
  }
  if (style === 'raw') return;
  await out.line(`[${type}] ${content}`.trimEnd(), type === 'gap' ? 'warn' : 'dim');
}
