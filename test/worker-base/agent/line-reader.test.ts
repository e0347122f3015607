import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../../worker-base/agent/line-reader.ts';
import type { Piece } from '../../../worker-base/streams/entry.ts';
import { PIECE_BYTES } from '../../../worker-base/streams/limits.ts';

const split = (chunks: Buffer[]): Piece[] => {
  const splitter = new LineSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.flush()];
};
const joined = (pieces: Piece[]) =>
  pieces.map(({ text, partial }) => (partial ? text : `${text}\n`)).join('');

test.each([
  { given: 'a\nb\n', pieces: [['a\nb', 2]] },
  { given: '\n', pieces: [['', 1]] },
  { given: 'a\n\n', pieces: [['a\n', 2]] },
  {
    given: 'a\nb',
    pieces: [
      ['a', 1],
      ['b', 0],
    ],
  },
  { given: '', pieces: [] },
  { given: 'a\r\nb\r\n', pieces: [['a\r\nb\r', 2]] },
])('$given is read as whole lines', ({ given, pieces }) => {
  expect(split([Buffer.from(given)]).map(({ text, lines }) => [text, lines])).toEqual(pieces);
});

test('bytes that are not UTF-8 are replaced, and the rest of the line is kept', () => {
  expect(joined(split([Buffer.from([0x61, 0xff, 0xfe, 0x62, 10])]))).toBe('a\ufffd\ufffdb\n');
});

test('input in any chunks is returned whole, in bounded pieces, with correct counts', () => {
  const line = fc.oneof(
    { weight: 8, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
    { weight: 1, arbitrary: fc.nat(2 * PIECE_BYTES).map((size) => 'x'.repeat(size)) },
    { weight: 1, arbitrary: fc.nat(PIECE_BYTES / 2).map((size) => `y${'😀'.repeat(size)}`) },
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), sizes, fc.boolean(), (lines, cuts, ended) => {
      const given = Buffer.from(lines.join('\n') + (ended ? '\n' : ''));
      const chunks: Buffer[] = [];
      for (let at = 0, turn = 0; at < given.length; turn += 1) {
        const size = cuts[turn % cuts.length] ?? 1;
        chunks.push(given.subarray(at, at + size));
        at += size;
      }
      const pieces = split(chunks);
      const text = given.toString();
      expect(joined(pieces)).toBe(text);
      expect(pieces.every((piece) => piece.bytes <= PIECE_BYTES)).toBe(true);
      expect(pieces.reduce((sum, piece) => sum + piece.bytes, 0)).toBe(given.length);
      expect(pieces.reduce((sum, piece) => sum + piece.lines, 0)).toBe(joined(pieces).split('\n').length - 1);
    }),
    { numRuns: 100 },
  );
});
