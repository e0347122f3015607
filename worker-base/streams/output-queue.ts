/**
 * `streams/` is the body's connection to Redis: the output (queue → spool → sender → trim), the input and its
 * position, and the heartbeat.
 *
 * Invariants: `seq` has no holes, a `gap` reports lost output, and memory is bounded however long Redis is
 * away (`limits.ts`). Must not import the agent or the code that decides about prompts.
 */
import type { OutputMessage, OutputType } from '../../src/model/messages/message.ts';
import type { OutputEntry, Piece } from './entry.ts';
import { MEMORY_BYTES, PIECE_BYTES } from './limits.ts';
import type { Spool } from './spool.ts';

/** Fields of an entry beside those that every entry has. */
export type EntryFields = Record<string, unknown> & { request_id?: string | undefined };

interface Chunk {
  type: 'stdout' | 'stderr';
  requestId: string | undefined;
  texts: string[];
  lines: number;
  bytes: number;
  partial: boolean;
  base64?: string;
}

/** May share an entry with other lines. */
const isWhole = ({ partial, base64 }: Pick<Piece, 'partial' | 'base64'>) => !partial && base64 === undefined;

/**
 * Turns events into numbered entries. `seq` is assigned when an entry is accepted, so it has no holes: output
 * without room is counted instead, and reported by one `gap` entry in its place.
 */
export class OutputQueue {
  readonly #spool: Spool;
  readonly #incarnation: number;
  readonly #isAway: () => boolean;
  #seq: number;
  #open: Chunk | undefined;
  #lost: { lines: number; bytes: number } | undefined;
  #wasFull = false;
  /** Identifies the work that a line belongs to: a prompt's request, or a task. */
  tag: 'request_id' | 'task_id' = 'request_id';
  /** Called when there is something to send. */
  onEntry: () => void = () => {};
  /** Called when the agent may be read again. */
  onRoom: () => void = () => {};

  constructor(options: { spool: Spool; incarnation: number; lastSeq: number; isAway: () => boolean }) {
    this.#spool = options.spool;
    this.#incarnation = options.incarnation;
    this.#seq = options.lastSeq;
    this.#isAway = options.isAway;
  }

  /** Redis responds but is slower than the agent, so reading must pause. Never true while Redis is away. */
  get full(): boolean {
    const full = !this.#isAway() && (this.#spool.spooled || this.#spool.bytes > MEMORY_BYTES / 2);
    this.#wasFull ||= full;
    return full;
  }

  /** Some entries are not passed to the sender yet. */
  get waiting(): boolean {
    return this.#open !== undefined || this.#spool.length > 0;
  }

  /** Enough text for an entry of full size is waiting. */
  get ample(): boolean {
    return this.#spool.spooled || this.#spool.bytes >= PIECE_BYTES;
  }

  /** Adds output of the agent; it is collected until it is sent or reaches the maximum size of an entry. */
  write(type: Chunk['type'], piece: Piece, requestId: string | undefined): void {
    const open = this.#open;
    const fits =
      open && open.type === type && open.requestId === requestId && isWhole(open) && isWhole(piece);
    if (open && (!fits || open.bytes + piece.bytes > PIECE_BYTES)) this.#seal();
    if (this.#open) {
      this.#open.texts.push(piece.text);
      this.#open.lines += piece.lines;
      this.#open.bytes += piece.bytes;
    } else {
      const { text, ...counts } = piece;
      this.#open = { type, requestId, texts: [text], ...counts };
    }
    this.onEntry();
  }

  /** Adds an entry of our own, after everything that was written before it; it is never dropped. */
  emit(type: OutputType, content: string, fields: EntryFields = {}): number {
    this.#seal();
    this.#emitGap();
    this.#accept(type, content, fields, { lines: 0, bytes: 0 }, true);
    this.onEntry();
    return this.#seq;
  }

  /**
   * Adds an event of the agent. While Redis is away and the spool is full, it is dropped like output, and
   * counted.
   */
  emitEvent(type: OutputType, content: string, fields: EntryFields = {}): void {
    this.#seal();
    if (!this.#isAway()) this.#emitGap();
    const size = { lines: 1, bytes: Buffer.byteLength(content) };
    const accepted = !this.#lost && this.#accept(type, content, fields, size, !this.#isAway());
    if (!accepted) this.#lose(size);
    this.onEntry();
  }

  /** The oldest entries, up to about `bytes` of text, at least one if there is any. */
  take(bytes: number, count: number): OutputEntry[] {
    if (this.#spool.length === 0) this.#seal();
    const entries: OutputEntry[] = [];
    for (let size = 0; size < bytes && entries.length < count; ) {
      const entry = this.#spool.shift();
      if (!entry) break;
      size += entry.data.length;
      entries.push(entry);
    }
    return entries;
  }

  /** Checks again whether there is room: after sending, and when the connection to Redis changes. */
  review(): void {
    if (!this.#isAway()) this.#emitGap();
    if (this.#wasFull && !this.full) {
      this.#wasFull = false;
      this.onRoom();
    }
  }

  /** The output that never reached Redis, for the final report. */
  unsent(): { lines: number; bytes: number } {
    const { lines, outputBytes } = this.#spool;
    return {
      lines: lines + (this.#open?.lines ?? 0) + (this.#lost?.lines ?? 0),
      bytes: outputBytes + (this.#open?.bytes ?? 0) + (this.#lost?.bytes ?? 0),
    };
  }

  #seal(): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    if (!this.#isAway()) this.#emitGap();
    const fields: EntryFields = { lines: open.lines, [this.tag]: open.requestId };
    if (open.partial) fields.partial = true;
    if (open.base64 !== undefined) fields.base64 = open.base64;
    const accepted =
      this.#lost === undefined &&
      this.#accept(open.type, open.texts.join('\n'), fields, open, !this.#isAway());
    if (!accepted) this.#lose(open);
  }

  #lose({ lines, bytes }: { lines: number; bytes: number }): void {
    this.#lost ??= { lines: 0, bytes: 0 };
    this.#lost.lines += lines;
    this.#lost.bytes += bytes;
  }

  #emitGap(): void {
    if (!this.#lost) return;
    const { lines, bytes } = this.#lost;
    this.#lost = undefined;
    const content = `The spool was full while Redis was unavailable: ${lines} lines (${bytes} bytes) of output were lost here.`;
    this.#accept('gap', content, { lost_lines: lines, lost_bytes: bytes }, { lines: 0, bytes: 0 }, true);
  }

  #accept(
    type: OutputType,
    content: string,
    fields: EntryFields,
    size: { lines: number; bytes: number },
    must: boolean,
  ) {
    const seq = this.#seq + 1;
    const timestamp = new Date().toISOString();
    const message = { seq, incarnation: this.#incarnation, type, content, timestamp, ...fields };
    const entry = {
      seq,
      data: JSON.stringify(message satisfies Omit<OutputMessage, 'request_id'>),
      lines: size.lines,
      bytes: size.bytes,
    };
    if (!this.#spool.push(entry, must)) return false;
    this.#seq = seq;
    return true;
  }
}
