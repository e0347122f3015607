/** The report of `confine`, which starts the agent as another user: whether its program was executed, and how it ended. */
import type { Readable } from 'node:stream';

/** The program that changes from the wrapper's user to the agent's, in the images. */
export const CONFINE = '/worker/confine';

const LONGEST = 4096;

/** The same command, reporting to that descriptor; undefined for a command that is not run by `confine`. */
export function withReport([program = '', ...rest]: string[], descriptor: number): string[] | undefined {
  return program === CONFINE ? [program, '--report', String(descriptor), ...rest] : undefined;
}

/** The report of `confine` so far. */
export class ConfineReport {
  #text = '';
  /** Settles when the program was executed, could not be executed, or `confine` is gone. */
  readonly begun: Promise<void>;

  constructor(pipe: Readable) {
    this.begun = new Promise((resolve) => {
      pipe.on('data', (chunk: Buffer) => {
        this.#text = (this.#text + chunk.toString('latin1')).slice(0, LONGEST);
        if (this.#text.includes('\n')) resolve();
      });
      pipe.once('close', resolve);
      pipe.on('error', () => resolve());
    });
  }

  /** The process of the program; undefined if it was not executed. */
  get pid(): number | undefined {
    return this.#number('pid');
  }

  /** The signal that ended the program. */
  get signal(): number | undefined {
    return this.#number('signal');
  }

  /** Why the program was not executed, as Node reports it of a program that it starts itself. */
  get failure(): NodeJS.ErrnoException | undefined {
    const [, code, reason] = /^failed (\d+) (.*)$/m.exec(this.#text) ?? [];
    if (code === undefined) return undefined;
    const error = new Error(reason);
    return Object.assign(error, { code: CODES[code] ?? 'ECANCELED', syscall: 'spawn' });
  }

  #number(name: string): number | undefined {
    const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(this.#text)?.[1];
    return found === undefined ? undefined : Number(found);
  }
}

/** Exit codes of `confine`, by the system's error. */
const CODES: Record<string, string> = { '126': 'EACCES', '127': 'ENOENT' };
