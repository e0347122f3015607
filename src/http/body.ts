/** Reads request bodies, with limits that are checked before parsing. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { findJsonExcess, type JsonBounds } from '../model/values/bounded-json.ts';
import { errorMessage, Fault } from '../model/values/fault.ts';

/** Maximum number of bytes of one body. */
export const BODY_BYTES = 1024 ** 2;
/** Maximum number of bytes of all bodies being received, so that many slow clients cannot fill the memory. */
const BODIES_BYTES = 64 * BODY_BYTES;
/** Validation is recursive, and so is a handler's language; validating a value by schema costs microseconds. */
const BOUNDS: JsonBounds = { depth: 200, values: 50_000 };

const UTF8 = new TextDecoder('utf-8', { fatal: true });

let heldBytes = 0;

/** Rejected because of its size; has its own HTTP status. */
export class TooLarge extends Fault {}

/** The complete body; throws `TooLarge`, or a Fault `unavailable` if too many bytes are being received. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES) throw tooLong();
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    // If the request is not read to its end, its connection is closed, and the error response is lost with it.
    for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += part.length;
      heldBytes += part.length;
      if (bytes > BODY_BYTES) throw tooLong();
      if (heldBytes > BODIES_BYTES)
        throw new Fault('unavailable', 'Too many requests are being received. Try again later.');
      parts.push(part);
    }
  } finally {
    heldBytes -= bytes;
  }
  return Buffer.concat(parts);
}

const tooLong = () => new TooLarge('invalid_command', `The request body has more than ${BODY_BYTES} bytes.`);

/** Throws a Fault `unsupported` if the body is compressed: it would be reported as broken JSON. */
export function rejectEncoding({ 'content-encoding': encoding = 'identity' }: IncomingHttpHeaders): void {
  if (encoding.toLowerCase() === 'identity') return;
  throw new Fault('unsupported', `The request body has the encoding ${encoding}; send it as it is.`);
}

/** The text of a body; throws a Fault `invalid_command` if it is not UTF-8, instead of replacing what cannot be read. */
export function decodeBody(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new Fault('invalid_command', 'The request body is not UTF-8.');
  }
}

/** Parses the body as JSON; throws a Fault `invalid_command` if it is not JSON or exceeds the limits. */
export function parseJsonBody(text: string): unknown {
  const excess = findJsonExcess(text, BOUNDS);
  if (excess) throw new Fault('invalid_command', `The request body ${excess}.`);
  try {
    // RFC 8259 allows a parser to ignore a byte order mark, which some clients send.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const [place] = /position \d+.*$/.exec(errorMessage(error)) ?? [];
    throw new Fault('invalid_command', `The request body is not JSON${place ? `: see ${place}` : ''}.`);
  }
}
