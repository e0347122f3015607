/** Bodies of requests, bounded before anything is made of them. */
import type { IncomingMessage } from 'node:http';
import { findJsonExcess, type JsonBounds } from '../model/bounded-json.ts';
import { Fault } from '../model/fault.ts';

/** Bytes of one body. */
export const BODY_BYTES = 1024 ** 2;
/** Bytes of all bodies that are on their way at once: many clients that send slowly must not fill the memory. */
const BODIES_BYTES = 64 * BODY_BYTES;
/** What checks a value goes down by calls, and so does a handler's language; checking a value by schema costs microseconds. */
const BOUNDS: JsonBounds = { depth: 200, values: 50_000 };

let heldBytes = 0;

/** Refused for its size: told by a status of its own. */
export class TooLarge extends Fault {}

/** The whole body; throws `TooLarge`, or a Fault `unavailable` if too many bodies are on their way. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES) throw tooLong();
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    // Left early, a request takes its connection with it, and the refusal that is on its way.
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

/** The body's text as JSON; throws a Fault `invalid_command` if it is not JSON, or too much of it. */
export function parseJsonBody(text: string): unknown {
  const excess = findJsonExcess(text, BOUNDS);
  if (excess) throw new Fault('invalid_command', `The request body ${excess}.`);
  try {
    // RFC 8259 lets a parser ignore a byte order mark, which some clients send.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new Fault('invalid_command', 'The request body is not JSON.');
  }
}
