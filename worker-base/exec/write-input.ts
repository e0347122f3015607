import type { Writable } from 'node:stream';
import { Fault } from '../../src/model/values/fault.ts';
import { drained } from './drained.ts';

/**
 * Writes to the input of a process as fast as it reads, and closes it after that if `close`. Resolves with the number of
 * bytes; throws a Fault `conflict` if the input is closed.
 */
export async function writeInput(
  stdin: Writable | null,
  source: AsyncIterable<Buffer>,
  close: boolean,
): Promise<number> {
  let sent = 0;
  const refuse = () =>
    new Fault(
      'conflict',
      `The process has closed its standard input, or has ended; ${sent} bytes were written.`,
      { reason: 'stdin_closed' },
    );
  if (!stdin) throw refuse();
  for await (const bytes of source) {
    if (!stdin.writable) throw refuse();
    if (!stdin.write(bytes)) await drained(stdin);
    sent += bytes.length;
  }
  if (close) stdin.end();
  return sent;
}
