/** A screen that is drawn for a later viewer is the same, and stays the same with what is written next. */
import headless from '@xterm/headless';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Screen } from '../../../worker-base/terminal/screen.ts';
import { drawn, readCells } from '../../support/screen.ts';

const [COLS, ROWS] = [20, 6];
/** Of the screen, the scroll region and modes: a difference in any of them shows after this. */
const NEXT = 'next\r\n\x1b[7mmore\x1b[K\r\n\n\n日本\x1b[H<\x1b[1Lx';

async function compare(output: string): Promise<[there: string, here: string][]> {
  const screen = new Screen(COLS, ROWS, () => {});
  const here = new headless.Terminal({ cols: COLS, rows: ROWS, allowProposedApi: true });
  const there = new headless.Terminal({ cols: COLS, rows: ROWS, allowProposedApi: true });
  screen.write(Buffer.from(output), () => {});
  here.write(output);
  // What it showed before does not matter.
  there.write('\x1b[31mold\x1b[2;3r');
  there.write(await screen.draw());
  const pairs: [string, string][] = [[await readCells(there), await readCells(here)]];
  for (const terminal of [there, here]) terminal.write(NEXT);
  pairs.push([await readCells(there), await readCells(here)]);
  await drawn(here);
  for (const one of [screen, here, there]) 'close' in one ? one.close() : one.dispose();
  return pairs;
}

test.each([
  ['attributes of the alternate screen', '\x1b[1;7mstatus\x1b[?1049h\x1b[H\x1b[0mplain \x1b[1;7mbar'],
  ['a full last line', `\x1b[?1049h\x1b[H\x1b[6;1H${'x'.repeat(COLS)}\x1b[3;8H`],
  ['a cursor behind the last column', `\x1b[2;1H${'x'.repeat(COLS)}`],
  ['the same behind a wide character', `\x1b[2;1H${'日'.repeat(COLS / 2)}`],
  ['the same with an attribute', `\x1b[1;31m${'x'.repeat(COLS)}`],
  ['margins', '\x1b[2;4r\x1b[3;2Hin'],
  ['margins and their origin', '\x1b[2;4r\x1b[?6h\x1b[2;2Hin'],
  ['lines above the screen', Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\r\n')],
  ['an empty screen', ''],
])('with %s', async (_what, output) => {
  for (const [there, here] of await compare(output)) expect(there).toBe(here);
});

test('a hidden cursor and the encoding of the mouse are kept', async () => {
  const screen = new Screen(COLS, ROWS, () => {});
  screen.write(Buffer.from('\x1b[?25l\x1b[?1002h\x1b[?1006h'), () => {});
  const text = Buffer.from(await screen.draw()).toString();
  for (const mode of ['\x1b[?25l', '\x1b[?1002h', '\x1b[?1006h']) expect(text).toContain(mode);
  screen.close();
});

/** What programs write, in small pieces. */
const piece = fc.oneof(
  fc.constantFrom('word ', 'ü–✓', '日本', '\r\n', '\r', '\n', '\b', '\t', 'x'.repeat(COLS)),
  fc.constantFrom(0, 1, 7, 22, 27, 31, 44, 49).map((code) => `\x1b[${code}m`),
  fc
    .tuple(fc.integer({ min: 1, max: ROWS }), fc.integer({ min: 1, max: COLS }))
    .map((at) => `\x1b[${at.join(';')}H`),
  fc.constantFrom(
    '\x1b[K',
    '\x1b[1K',
    '\x1b[J',
    '\x1b[2J',
    '\x1b[2L',
    '\x1b[2M',
    '\x1b[3P',
    '\x1b[3@',
    '\x1b[4X',
  ),
  fc.constantFrom('\x1b[2;4r', '\x1b[r', '\x1b[?1049h', '\x1b[?1049l', '\x1bM', '\x1bD'),
);

test('with anything that programs write', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      for (const [there, here] of await compare(pieces.join(''))) expect(there).toBe(here);
    }),
    { numRuns: 300 },
  );
});
