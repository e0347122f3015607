/** A list of things, printed in every format. */
import { type CliOutput, type Format, isData } from './output.ts';
import { formatTable } from './table.ts';

export type Cell = string | number;
export interface ListingRow {
  /** What other verbs accept, such as `worker/ID`. */
  name: string;
  /** All fields, for programs. */
  value: unknown;
  cells: Cell[];
  /** Cells of the columns that only `-o wide` has. */
  wide?: Cell[];
}
export interface Listing {
  columns: string[];
  wide?: string[];
  rows: ListingRow[];
}

/** Prints the list; `single` prints the only row's value instead of a list for programs. */
export async function printListing(
  out: CliOutput,
  format: Format,
  listing: Listing,
  { single = false } = {},
): Promise<void> {
  const { rows } = listing;
  if (isData(format)) return out.data(format, single ? rows[0]?.value : rows.map(({ value }) => value));
  if (format === 'name')
    return rows.length > 0 ? out.line(rows.map(({ name }) => name).join('\n')) : undefined;
  await out.line(formatListing(listing, format, out.columns));
}

/** The table of a list. Pure. */
export function formatListing({ columns, wide = [], rows }: Listing, format: Format, width?: number): string {
  if (format !== 'wide')
    return formatTable(
      columns,
      rows.map(({ cells }) => cells),
      width,
    );
  return formatTable(
    [...columns, ...wide],
    rows.map(({ cells, wide: more = [] }) => [...cells, ...more]),
  );
}

/** Prints one result: a document for programs, the names of what it is about, or a text for people. */
export async function printResult(
  out: CliOutput,
  format: Format,
  { value, names, text }: { value: unknown; names: string[]; text: string },
): Promise<void> {
  if (isData(format)) return out.data(format, value);
  const shown = format === 'name' ? names.join('\n') : text;
  if (shown !== '') await out.line(shown);
}
