/** One terminal, with xterm.js, which is loaded when a terminal is first shown. */
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../parts/basics.tsx';
import { describeError } from '../parts/text.ts';
import { followTerminal, type TerminalWindow } from './follow-terminal.ts';
import { replaceInlineStyles } from './inline-free.ts';

/** The least contrast of text that WCAG AA allows; a program's colors are changed until they have it. */
const CONTRAST = 4.5;
const SCROLLBACK = 5000;

export default function TerminalPane({
  workerId,
  ptyId,
  onLeave,
  onEnd,
}: {
  workerId: string;
  ptyId: string;
  /** The person leaves the terminal with the keyboard. */
  onLeave: () => void;
  onEnd: () => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const [ended, setEnded] = useState<string>();
  const [error, setError] = useState<string>();
  const calls = useRef({ onLeave, onEnd });
  calls.current = { onLeave, onEnd };

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const view = new AbortController();
    const shown = showEmulator(element, view.signal, () => calls.current.onLeave());
    shown.emulator.focus();
    followTerminal({ workerId, ptyId }, shown, view.signal)
      .then(
        ({ exit_code, signal }) =>
          setEnded(signal ? `The program was ended by ${signal}.` : `The program exited with ${exit_code}.`),
        (thrown) => view.signal.aborted || setError(describeError(thrown)),
      )
      .finally(() => view.signal.aborted || calls.current.onEnd());
    return () => view.abort();
  }, [workerId, ptyId]);

  return (
    <>
      <Problem text={error} />
      {ended && <p role="status">{ended}</p>}
      <div class="terminal-place" ref={place} role="group" aria-label="Terminal" />
    </>
  );
}

/** An emulator in an element and in its colors, until the signal. */
function showEmulator(element: HTMLElement, signal: AbortSignal, onLeave: () => void): TerminalWindow {
  const emulator = new Terminal({
    fontFamily: getComputedStyle(element).fontFamily,
    fontSize: 13,
    minimumContrastRatio: CONTRAST,
    screenReaderMode: true,
    scrollback: SCROLLBACK,
    theme: readTheme(element),
    // A link that a program prints may lead anywhere.
    linkHandler: { activate: () => {} },
  });
  const fit = new FitAddon();
  emulator.loadAddon(fit);
  emulator.attachCustomKeyEventHandler((event) => {
    if (!(event.ctrlKey && event.shiftKey && event.code === 'KeyL')) return true;
    event.preventDefault();
    if (event.type === 'keydown') onLeave();
    return false;
  });
  const restore = replaceInlineStyles();
  emulator.open(element);
  fit.fit();
  matchMedia('(prefers-color-scheme: dark)').addEventListener(
    'change',
    () => {
      emulator.options.theme = readTheme(element);
    },
    { signal },
  );
  signal.addEventListener('abort', () => {
    emulator.dispose();
    restore();
  });
  const size = () => {
    const { cols, rows } = fit.proposeDimensions() ?? emulator;
    return { cols, rows };
  };
  return {
    emulator,
    size,
    watch(onResize, ended) {
      let last = size();
      const observer = new ResizeObserver(() => {
        const now = size();
        if (now.cols === last.cols && now.rows === last.rows) return;
        last = now;
        onResize(now);
      });
      observer.observe(element);
      ended.addEventListener('abort', () => observer.disconnect());
    },
  };
}

function readTheme(element: HTMLElement): ITheme {
  const { color, backgroundColor } = getComputedStyle(element);
  return {
    foreground: color,
    background: backgroundColor,
    cursor: color,
    cursorAccent: backgroundColor,
    selectionBackground: color,
    selectionForeground: backgroundColor,
  };
}
