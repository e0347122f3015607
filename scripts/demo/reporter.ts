import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

interface Row {
  step: string;
  seen: string;
  seconds: number;
}

/** Reports on stdout what happens, with seconds since the start, and ends with a table. */
export class Reporter {
  readonly #began = performance.now();
  readonly #rows: Row[] = [];
  #step: { title: string; since: number } | undefined;

  /** Starts a step; `seen` ends it with its result. */
  step(title: string): void {
    this.#step = { title, since: performance.now() };
    console.log(`\n${paint(['bold', 'cyan'], title)}`);
  }

  say(line: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1).padStart(6);
    console.log(`${paint('dim', `${seconds} s`)}  ${line}`);
  }

  /** A line of a worker, with its name in a column. */
  of(worker: string, line: string): void {
    this.say(`${paint('magenta', worker.padEnd(9))} ${line}`);
  }

  /** Ends the step for the table. */
  seen(seen: string): void {
    this.say(paint('green', seen));
    const { title, since } = this.#step ?? { title: '', since: performance.now() };
    this.#rows.push({ step: title, seen, seconds: (performance.now() - since) / 1000 });
    this.#step = undefined;
  }

  /** The step in which it failed; `undefined` between two steps. */
  get current(): string | undefined {
    return this.#step?.title;
  }

  /** The results, step by step; empty if it failed in the first step. */
  table(): void {
    if (this.#rows.length < 2) return;
    const total = (performance.now() - this.#began) / 1000;
    const wide = Math.max(...this.#rows.map(({ step }) => step.length));
    console.log(`\n${paint('bold', 'step'.padEnd(wide))}  seconds  result`);
    for (const { step, seen, seconds } of this.#rows)
      console.log(`${step.padEnd(wide)}  ${seconds.toFixed(1).padStart(7)}  ${seen}`);
    console.log(`${'total'.padEnd(wide)}  ${total.toFixed(1).padStart(7)}`);
  }
}

/** Colors for a terminal only, or if FORCE_COLOR asks for them. */
function paint(style: Style, text: string): string {
  if (process.env.FORCE_COLOR) return styleText(style, text, { validateStream: false });
  return process.stdout.isTTY ? styleText(style, text) : text;
}
