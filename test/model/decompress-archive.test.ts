import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { createDecompressor } from '../../src/model/worker/decompress-archive.ts';

const PARTS = [
  randomBytes(1),
  Buffer.alloc(1024),
  randomBytes(300_000),
  Buffer.alloc(900_000, 'abc'),
  Buffer.alloc(0),
  randomBytes(128 * 1024),
  Buffer.from('end'),
];
const WHOLE = Buffer.concat(PARTS);
const level = (value: number) => ({ params: { [zlib.constants.ZSTD_c_compressionLevel]: value } });

function decompress(bytes: Buffer, cut = 65_536, format: 'tar.zst' | 'tar.gz' = 'tar.zst'): Promise<Buffer> {
  const cuts = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, at) =>
    bytes.subarray(at * cut, (at + 1) * cut),
  );
  return buffer(Readable.from(cuts).pipe(createDecompressor(format, 'This test')));
}

test.each([7, 1000, 65_536, 10_000_000])(
  'frames are read one after the other, cut every %d bytes',
  async (cut) => {
    const frames = PARTS.flatMap((part, at) => [
      zlib.zstdCompressSync(part, level(at % 2 === 0 ? 1 : 19)),
      // With a checksum, and without its size.
      zlib.zstdCompressSync(part, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }),
    ]);
    const expected = Buffer.concat(PARTS.flatMap((part) => [part, part]));
    expect((await decompress(Buffer.concat(frames), cut)).equals(expected)).toBe(true);
  },
);

test('one frame of an older version, and members of gzip', async () => {
  const stream = zlib.createZstdCompress(level(1));
  expect(
    (await decompress(await buffer(Readable.from(PARTS.filter(({ length }) => length)).pipe(stream)))).equals(
      WHOLE,
    ),
  ).toBe(true);
  const members = Buffer.concat(PARTS.map((part) => zlib.gzipSync(part)));
  expect((await decompress(members, 1000, 'tar.gz')).equals(WHOLE)).toBe(true);
});

test('what breaks off or is damaged is an error', async () => {
  const frames = PARTS.map((part) => zlib.zstdCompressSync(part));
  const all = Buffer.concat(frames);
  for (const length of [0, 3, 5, 8, 11, 1000, 200_000, all.length - 1])
    await expect(decompress(all.subarray(0, length)), String(length)).rejects.toThrow();
  for (const rest of ['x', 'no archive', '\0\0\0\0\0\0\0\0'])
    await expect(decompress(Buffer.concat([all, Buffer.from(rest)]))).rejects.toThrow();
});
