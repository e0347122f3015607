import type { OutputMessage } from '../model/index.ts';
import type { Output } from './output.ts';

/** `text`: for people. `raw`: only what the agent itself wrote, untouched. `json`: the entry on one line. */
export type Style = 'text' | 'raw' | 'json';

/** Where the last text had no newline, so that what follows begins a line of its own. */
const unfinished = new WeakSet<Output>();

/** Prints one entry of an output stream; stderr goes to stderr. */
export async function printEntry(out: Output, entry: OutputMessage, style: Style): Promise<void> {
  if (style === 'json') return out.jsonLine(entry);
  const { type, content = '', partial, base64 } = entry;
  if (type === 'stdout' || type === 'stderr') {
    const end = partial ? '' : '\n';
    if (style === 'raw' && typeof base64 === 'string')
      return out.bytes(Buffer.concat([Buffer.from(base64, 'base64'), Buffer.from(end)]), type);
    if (partial) unfinished.add(out);
    else unfinished.delete(out);
    const text = `${content}${end}`;
    // A pipe or a file gets what the agent wrote; only a terminal obeys control characters.
    return out.isTerminal && style !== 'raw' ? out.text(text, type) : out.bytes(text, type);
  }
  if (style === 'raw') return;
  if (unfinished.delete(out)) await out.bytes('\n');
  await out.line(`[${type}] ${content}`.trimEnd(), type === 'gap' ? 'warn' : 'dim');
}
