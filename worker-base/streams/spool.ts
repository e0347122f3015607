import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { OutputEntry } from './entry.ts';

/** Bytes before each entry in the file: its length, lines, bytes and seq. */
const HEADER = 20;

/**
 * Entries that wait for Redis, first in first out: a small buffer, then a file, then another small buffer for
 * entries that must not be lost if the file has no room. The file only grows until it is read to its end, so
 * its size is limited; it is read and written synchronously, which keeps the order without a lock and costs a
 * page-cache copy.
 */
export class Spool {
  readonly #path: string;
  readonly #memoryBytes: number;
  readonly #diskBytes: number;
  #head: OutputEntry[] = [];
  #tail: OutputEntry[] = [];
  #file: number | undefined;
  #written = 0;
  #read = 0;
  #onDisk = 0;
  /** Bytes of text that wait in memory. */
  bytes = 0;
  /** Total waiting output, to report the loss if the wrapper has to abort. */
  lines = 0;
  outputBytes = 0;
  /** Why the file could not be written; empty while it can. */
  diskError = '';

  constructor(options: { path: string; memoryBytes: number; diskBytes: number }) {
    this.#path = options.path;
    this.#memoryBytes = options.memoryBytes;
    this.#diskBytes = options.diskBytes;
  }

  get length(): number {
    return this.#head.length + this.#onDisk + this.#tail.length;
  }

  /** Whether entries wait in the file. */
  get spooled(): boolean {
    return this.#onDisk > 0;
  }

  /** Adds an entry; returns false if there is no room. An entry that `must` be kept is always added. */
  push(entry: OutputEntry, must: boolean): boolean {
    const ordered = this.#onDisk === 0 && this.#tail.length === 0;
    const fits = this.bytes + entry.data.length <= this.#memoryBytes;
    if (ordered && fits) this.#remember(this.#head, entry);
    else if (this.#tail.length === 0 && this.#spool(entry)) this.#count(entry, 1);
    else if (must) this.#remember(this.#tail, entry);
    else return false;
    return true;
  }

  /** Removes and returns the oldest entry. */
  shift(): OutputEntry | undefined {
    if (this.#head.length === 0) {
      if (this.#onDisk > 0) {
        const entry = this.#unspool();
        this.#count(entry, -1);
        return entry;
      }
      this.#head = this.#tail;
      this.#tail = [];
    }
    const entry = this.#head.shift();
    if (entry) {
      this.bytes -= entry.data.length;
      this.#count(entry, -1);
    }
    return entry;
  }

  /** Removes the file, and its directory if nothing else is in it. */
  remove(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#path, { force: true });
    try {
      rmdirSync(dirname(this.#path));
    } catch {
      // Other bodies have spools there as well.
    }
  }

  #remember(list: OutputEntry[], entry: OutputEntry): void {
    list.push(entry);
    this.bytes += entry.data.length;
    this.#count(entry, 1);
  }

  #count(entry: OutputEntry, sign: 1 | -1): void {
    this.lines += sign * entry.lines;
    this.outputBytes += sign * entry.bytes;
  }

  #spool(entry: OutputEntry): boolean {
    const size = Buffer.byteLength(entry.data);
    if (this.#written + HEADER + size > this.#diskBytes) return false;
    const record = Buffer.allocUnsafe(HEADER + size);
    record.writeUInt32LE(size, 0);
    record.writeUInt32LE(entry.lines, 4);
    record.writeUInt32LE(entry.bytes, 8);
    record.writeDoubleLE(entry.seq, 12);
    record.write(entry.data, HEADER);
    try {
      this.#file ??= this.#open();
      for (let done = 0; done < record.length; ) {
        done += writeSync(this.#file, record, done, record.length - done, this.#written + done);
      }
    } catch (error) {
      // With a full or read-only disk the spool has no room; the next record overwrites an incomplete one.
      this.diskError = error instanceof Error ? error.message : String(error);
      return false;
    }
    this.diskError = '';
    this.#written += record.length;
    this.#onDisk += 1;
    return true;
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    rmSync(this.#path, { force: true });
    // `x`: an existing file, such as a link to another place, is never written to.
    return openSync(this.#path, 'wx+', 0o600);
  }

  #unspool(): OutputEntry {
    const header = this.#readBytes(HEADER);
    const [size, lines, bytes] = [header.readUInt32LE(0), header.readUInt32LE(4), header.readUInt32LE(8)];
    const entry: OutputEntry = {
      seq: header.readDoubleLE(12),
      data: this.#readBytes(size).toString(),
      lines,
      bytes,
    };
    this.#onDisk -= 1;
    if (this.#onDisk === 0 && this.#file !== undefined) {
      ftruncateSync(this.#file);
      this.#written = 0;
      this.#read = 0;
    }
    return entry;
  }

  #readBytes(size: number): Buffer {
    const buffer = Buffer.allocUnsafe(size);
    for (let done = 0; done < size; ) {
      const got = this.#file === undefined ? 0 : readSync(this.#file, buffer, done, size - done, this.#read);
      if (got === 0) throw new Error(`the spool ${this.#path} is shorter than the data written to it`);
      done += got;
      this.#read += got;
    }
    return buffer;
  }
}
