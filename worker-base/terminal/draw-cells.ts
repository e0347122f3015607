/** Writes the cells of an emulated screen one by one, at absolute places. Pure. */
import type headless from '@xterm/headless';

/** Colors and attributes of a cell, or those that the next character gets. */
export type Attributes = Pick<
  headless.IBufferCell,
  | 'getFgColor'
  | 'getBgColor'
  | 'isFgRGB'
  | 'isBgRGB'
  | 'isFgPalette'
  | 'isBgPalette'
  | 'isBold'
  | 'isDim'
  | 'isItalic'
  | 'isUnderline'
  | 'isBlink'
  | 'isInverse'
  | 'isInvisible'
  | 'isStrikethrough'
  | 'isOverline'
>;

/** Selects exactly these attributes, whatever was selected before. */
export function drawAttributes(cell: Attributes): string {
  const flags = [
    [cell.isBold(), 1],
    [cell.isDim(), 2],
    [cell.isItalic(), 3],
    [cell.isUnderline(), 4],
    [cell.isBlink(), 5],
    [cell.isInverse(), 7],
    [cell.isInvisible(), 8],
    [cell.isStrikethrough(), 9],
    [cell.isOverline(), 53],
  ] as const;
  const codes: number[] = [0, ...flags.flatMap(([isSet, code]) => (isSet ? code : []))];
  if (cell.isFgRGB()) codes.push(38, 2, ...toRgb(cell.getFgColor()));
  else if (cell.isFgPalette()) codes.push(...toPalette(cell.getFgColor(), 30));
  if (cell.isBgRGB()) codes.push(48, 2, ...toRgb(cell.getBgColor()));
  else if (cell.isBgPalette()) codes.push(...toPalette(cell.getBgColor(), 40));
  return `\x1b[${codes.join(';')}m`;
}

const toRgb = (color: number) => [(color >> 16) & 0xff, (color >> 8) & 0xff, color & 0xff];
/** The first sixteen have codes of their own, from `base` and from `base + 60` on. */
const toPalette = (color: number, base: 30 | 40) =>
  color >= 16 ? [base + 8, 5, color] : [(color & 8 ? base + 60 : base) + (color & 7)];

const showsMore = (cell: Attributes) =>
  cell.isInverse() || cell.isUnderline() || cell.isStrikethrough() || cell.isOverline();

/** All rows of the active screen. Margins, the insert mode and the origin of the cursor must be those of a reset terminal. */
export function drawCells({ buffer, rows, cols }: headless.Terminal): string {
  const { active } = buffer;
  const parts: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const line = active.getLine(active.baseY + row);
    let attributes = '';
    let empty = 0;
    parts.push(`\x1b[${row + 1};1H`);
    const flush = () => {
      if (empty > 0) parts.push(`\x1b[${empty}X\x1b[${empty}C`);
      empty = 0;
    };
    for (let column = 0; column < cols; column += 1) {
      const cell = line?.getCell(column);
      // The second half of a wide character.
      if (!cell || cell.getWidth() === 0) continue;
      const next = drawAttributes(cell);
      if (next !== attributes) {
        flush();
        parts.push(next);
        attributes = next;
      }
      // Erased cells have only a background; one that shows more is a space.
      if (cell.getChars() === '' && !showsMore(cell)) empty += 1;
      else {
        flush();
        parts.push(cell.getChars() || ' ');
      }
    }
    flush();
  }
  return parts.join('');
}
