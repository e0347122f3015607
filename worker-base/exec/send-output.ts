/**
 * Sends the output of a process to a client, from an offset to its end.
 *
 * Invariants: the process waits for a client that reads slowly, and a client that reads nothing is disconnected after a
 * deadline; what a client has missed is reported; a response without an `exit` is one that was cut.
 */
import type { ServerResponse } from 'node:http';
import { drained } from './drained.ts';
import type { OutputReader } from './exec-process.ts';
import type { ExecEvent, StreamFormat } from './format.ts';
import type { ProcessEntry } from './process-table.ts';

/** Bytes that are read from the log at once. */
const BATCH_BYTES = 256 * 1024;
/** A comment after this time without output, in milliseconds. */
const SILENCE_MS = 15_000;
/** A client that reads nothing for this time in milliseconds is disconnected; the manager does so earlier. */
const STALLED_MS = 60_000;

/** Resolves when everything was sent or the client is gone; returns whether it got the end. */
export async function sendOutput(
  response: ServerResponse,
  entry: ProcessEntry,
  format: StreamFormat,
  { from, follow }: { from: number; follow: boolean },
): Promise<boolean> {
  const { process, log } = entry;
  let woken = Promise.withResolvers<void>();
  const reader: OutputReader = { position: Math.min(from, log.end), wake: () => woken.resolve() };
  const leave = process?.join(reader);
  let gone = false;
  response.once('close', () => {
    gone = true;
    woken.resolve();
  });
  const silence = setInterval(() => response.write(format.silence), SILENCE_MS);
  /** Resolves when the client has taken it; cuts the connection if it does not. */
  const write = async (events: ExecEvent[]) => {
    if (events.length === 0 || gone) return;
    silence.refresh();
    if (response.write(Buffer.concat(events.map((event) => format.encode(event))))) return;
    const stalled = setTimeout(() => response.destroy(), STALLED_MS);
    await drained(response);
    clearTimeout(stalled);
  };
  try {
    await write([{ type: 'started', ...entry.info() }]);
    for (;;) {
      woken = Promise.withResolvers<void>();
      const end = process ? process.end : await entry.ended;
      const { lost, parts } = log.read(reader.position, BATCH_BYTES);
      const last = parts.at(-1);
      const events: ExecEvent[] = parts.map(({ stream, ...part }) => ({ type: stream, ...part }));
      if (lost > 0) events.unshift({ type: 'lost', offset: reader.position, bytes: lost });
      await write(events);
      if (gone) return false;
      reader.position = last ? last.offset + last.bytes.length : reader.position + lost;
      process?.balance();
      if (reader.position < log.end) continue;
      if (end || !follow) break;
      await woken.promise;
    }
    if (entry.process?.end || !process) {
      const end = await entry.ended;
      await write([{ type: 'exit', process_id: entry.id, output_bytes: log.end, ...end }]);
    }
    return !gone;
  } finally {
    clearInterval(silence);
    leave?.();
  }
}
