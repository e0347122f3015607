/** Shows the progress of a build: a moving bar on a terminal, otherwise one line per step. */
import type { BuildProgress } from '../../images/index.ts';
import { toOneLine } from '../print/text.ts';

const WIDTH = 24;

export function createProgressBar(stream: NodeJS.WriteStream): {
  show: (progress: BuildProgress) => void;
  end: () => void;
} {
  const isTerminal = stream.isTTY === true;
  return {
    show: (progress) => {
      stream.write(
        isTerminal
          ? `\r\u001b[2K${renderProgressBar(progress, stream.columns)}`
          : `${toOneLine(progress.line)}\n`,
      );
    },
    end: () => {
      if (isTerminal) stream.write('\r\u001b[2K');
    },
  };
}

/** `[#####-----] 3/12 RUN apt-get update …`, within the width of the terminal. Pure. */
export function renderProgressBar({ step, of, line }: BuildProgress, columns = 80): string {
  const filled = of > 0 ? Math.round((WIDTH * Math.max(step - 1, 0)) / of) : 0;
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}]`;
  const count = of > 0 ? ` ${step}/${of}` : '';
  const what = line.replace(/^Step \d+\/\d+ : /, '');
  return toOneLine(`${bar}${count} ${what}`, Math.max(columns - 1, 20));
}
