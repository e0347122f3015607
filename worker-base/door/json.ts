/** JSON in requests to the door. */
import type { IncomingMessage } from 'node:http';
import { Fault } from '../../src/model/values/fault.ts';

/** Bytes of a request; the manager accepts fewer. */
const REQUEST_BYTES = 2 * 1024 ** 2;

/** Throws a Fault `invalid_command` if the body is too long or not JSON. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > REQUEST_BYTES)
      throw new Fault('invalid_command', `A request to a worker has at most ${REQUEST_BYTES} bytes.`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Fault('invalid_command', 'The body of the request is not JSON.');
  }
}
