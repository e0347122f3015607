/** Reads answers of a body's door: anything could be in them. */
import type { IncomingMessage } from 'node:http';
import { FAULT_CODES, Fault, type FaultCode } from '../../model/index.ts';

/** Maximum number of bytes of an answer: four times what a body keeps of the output of a command. */
const MOST_BYTES = 16 * 1024 ** 2;

/** The whole answer; throws a Fault if it was cut, or is too long. */
export async function readDoorBytes(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > MOST_BYTES)
        throw new Fault('unsupported', `The worker's answer has more than ${MOST_BYTES} bytes.`);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault(
      'unavailable',
      'The connection to the worker was cut before its answer was complete. It has probably ended.',
      { cause, reason: 'body_lost' },
    );
  }
  return Buffer.concat(parts);
}

/** The error in a door's answer. */
export function readDoorFault(body: string): Fault {
  try {
    const { code, message } = (JSON.parse(body) as { error: { code: FaultCode; message: string } }).error;
    if (FAULT_CODES.includes(code) && code !== 'internal') return new Fault(code, String(message));
  } catch {
    // Not one of ours.
  }
  return new Fault('unavailable', 'The worker refused the request without a reason.');
}
