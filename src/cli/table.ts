import { toOneLine } from './text.ts';

/** Space between two columns, the same as in docker and kubectl. */
const GAP = '   ';

/**
 * Rows under uppercase headings, with columns as wide as necessary. An empty cell is shown as `-`; the last column is
 * not padded.
 */
export function formatTable(names: string[], rows: (string | number)[][]): string {
  const cells = rows.map((row) => row.map((cell) => toOneLine(String(cell)) || '-'));
  const widths = names.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: string[]) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join(GAP)
      .trimEnd();
  return [names, ...cells].map(line).join('\n');
}

/** Names and values, one per line, like `kubectl describe`; values that are `undefined` or empty are omitted. */
export function formatFields(pairs: [string, string | number | undefined][]): string {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}   ${toOneLine(String(value), 1000)}`).join('\n');
}
