/**
 * The frames of the media type for output with unchanged bytes, as in Docker's streams: one byte that says what it is
 * (1 stdout, 2 stderr, 0 an event in JSON), three of zero, four with the length (big-endian), and the content. A frame of
 * length 0 says that the connection lives. Pure, and without zod, because bodies load it.
 */

/** The media type, which a client asks for with `Accept`. */
export const EXEC_FRAMES = 'application/vnd.worker-manager.exec';

const HEADER_BYTES = 8;
const KINDS = ['event', 'stdout', 'stderr'] as const;

export type Frame =
  | { stream: 'stdout' | 'stderr'; bytes: Buffer }
  | { event: { type: string; [field: string]: unknown } };

export function toFrame(kind: (typeof KINDS)[number], content: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(KINDS.indexOf(kind), 0);
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

/** The frames of a response, without the empty ones. What is left of a frame that was cut is dropped. */
export async function* readFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of source) {
    rest = rest.length > 0 ? Buffer.concat([rest, part]) : part;
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) break;
      const bytes = rest.subarray(HEADER_BYTES, end);
      const kind = KINDS[rest.readUInt8(0)];
      rest = rest.subarray(end);
      if (bytes.length === 0) continue;
      if (kind === 'stdout' || kind === 'stderr') yield { stream: kind, bytes };
      else if (kind === 'event') yield { event: JSON.parse(bytes.toString()) };
    }
  }
}
