/** What an emulated terminal shows. */
import type { Terminal } from '@xterm/headless';

/** Resolves when all that was written is drawn. */
export const drawn = (terminal: Terminal): Promise<void> =>
  new Promise((resolve) => terminal.write('', resolve));

/** The lines of the screen, without spaces at their ends. */
export async function readScreen(terminal: Terminal): Promise<string[]> {
  await drawn(terminal);
  const { active } = terminal.buffer;
  return Array.from({ length: terminal.rows }, (_, row) =>
    (active.getLine(active.baseY + row)?.translateToString(true) ?? '').trimEnd(),
  );
}

/** The same with the cursor, colors and attributes, for comparison. */
export async function readCells(terminal: Terminal): Promise<string> {
  await drawn(terminal);
  const { baseY, cursorX, cursorY, type } = terminal.buffer.active;
  const found: unknown[] = [type, cursorX, cursorY];
  for (let row = 0; row < terminal.rows; row += 1)
    for (let at = 0; at < terminal.cols; at += 1) {
      const cell = terminal.buffer.active.getLine(baseY + row)?.getCell(at);
      if (cell)
        found.push([
          cell.getChars() || ' ',
          (cell.getChars() || ' ') !== ' ' || cell.isInverse() ? cell.getFgColor() : -1,
          cell.getBgColor(),
          // A space is neither bold nor colored.
          (cell.getChars() || ' ') !== ' ' && cell.isBold(),
          cell.isInverse(),
        ]);
    }
  return JSON.stringify(found);
}
