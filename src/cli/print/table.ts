import { toOneLine } from './text.ts';

/** Space between two columns, the same as in docker and kubectl. */
const GAP = '   ';
/** A column is not cut below this width, so that its text stays recognizable. */
const NARROWEST = 8;

/**
 * Rows under uppercase headings, with columns as wide as necessary. An empty cell is shown as `-`; the last column is
 * not padded. In a terminal of `width` columns, the longest texts are cut until a row fits on a line.
 */
export function formatTable(names: string[], rows: (string | number)[][], width?: number): string {
  const cells = rows.map((row) => row.map((cell) => toOneLine(String(cell)) || '-'));
  const widths = names.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)));
  if (width !== undefined) fitWidths(names, widths, width);
  const line = (row: string[]) =>
    row
      .map((cell, at) => {
        const text = toOneLine(cell, widths[at] ?? cell.length);
        return at === row.length - 1 ? text : text.padEnd(widths[at] ?? 0);
      })
      .join(GAP)
      .trimEnd();
  return [names, ...cells].map(line).join('\n');
}

/** Narrows the widest columns until they fit, but no column below its heading, and never the first, which has the ID. */
function fitWidths(names: string[], widths: number[], width: number): void {
  const least = names.map((name, at) =>
    at === 0 ? Number.POSITIVE_INFINITY : Math.max(NARROWEST, name.length),
  );
  let excess = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width;
  while (excess > 0) {
    const spare = widths.map((one, at) => one - (least[at] ?? 0));
    const cuttable = [...widths.keys()].filter((at) => (spare[at] ?? 0) > 0);
    if (cuttable.length === 0) return;
    const widest = Math.max(...cuttable.map((at) => widths[at] ?? 0));
    const at = cuttable.findLast((one) => widths[one] === widest) ?? 0;
    // Down to the next widest column, so that columns of the same kind stay equally wide.
    const next = Math.max(
      least[at] ?? 0,
      ...cuttable.map((one) => widths[one] ?? 0).filter((one) => one < widest),
    );
    const cut = Math.min(excess, Math.max(1, widest - next));
    widths[at] = widest - cut;
    excess -= cut;
  }
}

/** Names and values, one per line, like `kubectl describe`; values that are `undefined` or empty are omitted. */
export function formatFields(pairs: [string, string | number | undefined][]): string {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}   ${toOneLine(String(value), 1000)}`).join('\n');
}
