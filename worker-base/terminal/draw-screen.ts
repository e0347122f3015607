/**
 * Writes the state of an emulated terminal as the bytes that produce it in a cleared one.
 *
 * xterm's addon writes the content, with the lines above the screen. The screen itself is then drawn again cell by cell, because
 * the addon lets attributes of the normal screen run into the alternate one, and loses its place after full lines. Margins, a
 * hidden cursor and the encoding of the mouse are not in it at all. Like the addon, this reads internal state of the emulator,
 * for which there is no API; its version is pinned.
 */
import type { SerializeAddon } from '@xterm/addon-serialize';
import type headless from '@xterm/headless';
import { type Attributes, drawAttributes, drawCells } from './draw-cells.ts';

/** The internal state that is read. */
interface Core {
  buffer: { scrollTop: number; scrollBottom: number };
  coreService: { isCursorHidden: boolean };
  coreMouseService: { activeEncoding: string };
  /** The attributes of the next character. */
  _inputHandler: { _curAttrData: Attributes };
}

const RESET_ATTRIBUTES = '\x1b[0m';

/** All of it: content with `scrollback` lines above the screen, modes, margins and cursor. */
export function drawScreen(
  terminal: headless.Terminal,
  serializer: SerializeAddon,
  scrollback: number,
): string {
  const normal = serializer.serialize({ scrollback, excludeAltBuffer: true, excludeModes: true });
  const content = serializer.serialize({ scrollback, excludeModes: true });
  const modes = serializer.serialize({ scrollback }).slice(content.length);
  const alternate = content.slice(normal.length);
  const core = (terminal as unknown as { _core: Core })._core;
  return [
    normal,
    alternate && `${RESET_ATTRIBUTES}${alternate}`,
    drawCells(terminal),
    drawMargins(terminal, core),
    modes,
    core.coreMouseService.activeEncoding === 'SGR' ? '\x1b[?1006h' : '',
    drawCursor(terminal, core),
    drawAttributes(core._inputHandler._curAttrData),
    core.coreService.isCursorHidden ? '\x1b[?25l' : '',
  ].join('');
}

function drawMargins({ rows }: headless.Terminal, { buffer }: Core): string {
  const { scrollTop, scrollBottom } = buffer;
  return scrollTop === 0 && scrollBottom === rows - 1 ? '' : `\x1b[${scrollTop + 1};${scrollBottom + 1}r`;
}

/** Its absolute place: margins and some modes have moved it, and the addon counts columns from where it believes to be. */
function drawCursor({ buffer, cols, modes }: headless.Terminal, core: Core): string {
  const { active } = buffer;
  const row = active.cursorY - (modes.originMode ? core.buffer.scrollTop : 0) + 1;
  if (active.cursorX < cols) return `\x1b[${row};${active.cursorX + 1}H`;
  // A character was written to the last column, and the next one will begin a new line: it is written again.
  const line = active.getLine(active.baseY + active.cursorY);
  const isWide = line?.getCell(cols - 1)?.getWidth() === 0;
  const column = isWide ? cols - 2 : cols - 1;
  const cell = line?.getCell(column);
  return `\x1b[${row};${column + 1}H${cell ? drawAttributes(cell) : ''}${cell?.getChars() || ' '}`;
}
