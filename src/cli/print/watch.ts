/** `--watch`: prints a list again when it changes. */
import { setTimeout as delay } from 'node:timers/promises';
import { formatListing, type Listing, type ListingRow, printListing } from './listing.ts';
import { type CliOutput, type Format, isData } from './output.ts';

/** Interval between reads, and between the ages that a terminal shows. */
const POLL_MS = 1000;
/** Clears the screen and moves the cursor to its upper left corner. */
const CLEAR = '\u001b[2J\u001b[H';

/**
 * Prints a list, and what changes in it, until there is no list any more or the process is interrupted. A terminal shows
 * the whole list again; a pipe gets the rows that are new or have changed, like `kubectl get --watch`, and programs get
 * one document for each of them.
 */
export async function watchListing(
  out: CliOutput,
  format: Format,
  read: () => Promise<Listing | undefined>,
): Promise<void> {
  const known = new Map<string, string>();
  let shown = '';
  for (let first = true; ; first = false) {
    const listing = await read();
    if (!listing) return;
    const changed = takeChanges(listing, known);
    if (out.isTerminal && !isData(format) && format !== 'name') {
      const text = formatListing(listing, format, out.columns);
      if (text !== shown) {
        await out.bytes(CLEAR);
        await out.line(text);
      }
      shown = text;
    } else if (isData(format)) for (const { value } of changed) await out.item(format, value);
    else if (first || format === 'name') await printListing(out, format, { ...listing, rows: changed });
    else if (changed.length > 0) {
      // All rows determine the widths; the heading is printed once.
      const [, ...lines] = formatListing(listing, format).split('\n');
      await out.line(lines.filter((_, at) => changed.includes(listing.rows[at] as ListingRow)).join('\n'));
    }
    await delay(POLL_MS);
  }
}

/** The rows that are new or differ from the last ones. */
function takeChanges({ rows }: Listing, known: Map<string, string>): Listing['rows'] {
  return rows.filter(({ name, value }) => {
    const text = JSON.stringify(value);
    if (known.get(name) === text) return false;
    known.set(name, text);
    return true;
  });
}
