import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

interface Row {
  step: string;
  seen: string;
  seconds: number;
}

/** Tells on stdout what happens while it happens, with seconds since the beginning, and at the end in a table. */
export class Narrator {
  readonly #began = performance.now();
  readonly #rows: Row[] = [];
  #step: { title: string; since: number } | undefined;

  /** Begins a step; `seen` ends it with what came of it. */
  step(title: string): void {
    this.#step = { title, since: performance.now() };
    console.log(`\n${paint(['bold', 'cyan'], title)}`);
  }

  say(line: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1).padStart(6);
    console.log(`${paint('dim', `${seconds} s`)}  ${line}`);
  }

  /** A line of a worker: its name in a column of its own. */
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

  /** The step during which it failed; `undefined` between two. */
  get current(): string | undefined {
    return this.#step?.title;
  }

  /** What happened, step by step; nothing where it came no further than one. */
  table(): void {
    if (this.#rows.length < 2) return;
    const total = (performance.now() - this.#began) / 1000;
    const wide = Math.max(...this.#rows.map(({ step }) => step.length));
    console.log(`\n${paint('bold', 'step'.padEnd(wide))}  seconds  what was seen`);
    for (const { step, seen, seconds } of this.#rows)
      console.log(`${step.padEnd(wide)}  ${seconds.toFixed(1).padStart(7)}  ${seen}`);
    console.log(`${'all of it'.padEnd(wide)}  ${total.toFixed(1).padStart(7)}`);
  }
}

/** Colours for a terminal only. */
function paint(style: Style, text: string): string {
  return process.stdout.isTTY ? styleText(style, text) : text;
}
