import type { OutputMessage } from '../model/index.ts';
import type { Output } from './output.ts';
import { printable } from './text.ts';

/** `text`: for people. `raw`: only what the agent itself wrote, untouched. `json`: the entry on one line. */
export type Style = 'text' | 'raw' | 'json';

/** Prints one entry of an output stream; stderr goes to stderr. */
export async function printEntry(out: Output, entry: OutputMessage, style: Style): Promise<void> {
  if (style === 'json') return out.line(JSON.stringify(entry));
  const { type, content = '', partial } = entry;
  const safe = (text: string) => (out.isTerminal && style !== 'raw' ? printable(text) : text);
  if (type === 'stdout' || type === 'stderr')
    return out.text(`${safe(String(content))}${partial ? '' : '\n'}`, type);
  if (style === 'raw') return;
  const line = `[${type}] ${printable(String(content))}`.trimEnd();
  await out.line(type === 'gap' ? out.warn(line) : out.dim(line));
}
