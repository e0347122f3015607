/** Joins two connections. Must not import any other folder, because the wrapper bundles it. */
import type { Duplex } from 'node:stream';

/**
 * Passes everything between two streams; the end of a direction is passed on, and a break of one is one of both. What was
 * read of a stream that has ended in both directions is still written to the other one, however slow that is.
 */
export function joinStreams(one: Duplex, other: Duplex): void {
  one.pipe(other);
  other.pipe(one);
  const cut = () => {
    one.destroy();
    other.destroy();
  };
  for (const stream of [one, other]) {
    stream.on('error', cut);
    stream.once('close', () => {
      if (!stream.readableEnded || !stream.writableFinished) cut();
    });
  }
}
