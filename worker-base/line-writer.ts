import { write } from 'node:fs';

/** Bytes of lines that wait for a reader that is slow or has stopped. */
const LOG_BYTES = 1024 ** 2;
/** How long the end of the program waits for the last lines. */
const FLUSH_MS = 1000;
/** Delay between attempts to write to a blocked descriptor. */
const AGAIN_MS = 20;

/**
 * Writes lines to a descriptor without waiting for it: a container's stdout is a pipe, and a write to a full
 * pipe would block the whole program, including heartbeat and tasks, until it is read. Lines that do not fit
 * are dropped and counted.
 */
export class LineWriter {
  readonly #descriptor: number;
  #waiting: string[] = [];
  #bytes = 0;
  #dropped = 0;
  #writing = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  writeLine(line: string): void {
    if (this.#closed) return;
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes + bytes > LOG_BYTES) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      this.#waiting.push(`… ${this.#dropped} lines of the log were dropped because they were not read\n`);
      this.#dropped = 0;
    }
    this.#waiting.push(`${line}\n`);
    this.#bytes += bytes;
    this.#pump();
  }

  /** Resolves when all lines are written, or after a second. */
  async flush(): Promise<void> {
    if (!this.#writing) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
    });
    await Promise.race([new Promise<void>((resolve) => this.#idle.push(resolve)), late]);
    clearTimeout(timer);
  }

  #pump(): void {
    if (this.#writing || this.#waiting.length === 0) return;
    this.#writing = true;
    this.#write(Buffer.from(this.#waiting.splice(0).join('')));
  }

  #write(rest: Buffer): void {
    write(this.#descriptor, rest, (error, written) => {
      if (error?.code === 'EAGAIN') return void setTimeout(() => this.#write(rest), AGAIN_MS);
      if (error) return this.#close();
      this.#bytes = Math.max(0, this.#bytes - written);
      if (written < rest.length) return this.#write(rest.subarray(written));
      this.#writing = false;
      this.#pump();
      if (!this.#writing) this.#settle();
    });
  }

  /** The reader is gone: a failed log must not end an agent. */
  #close(): void {
    this.#closed = true;
    this.#writing = false;
    this.#waiting = [];
    this.#settle();
  }

  #settle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
