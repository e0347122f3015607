import type { Keep } from '../agent/session-archive.ts';
import type { Over, Surroundings } from '../workload.ts';

/** What comes after a turn: its conversation is kept, and its prompt acknowledged with that in one transaction. */
export class Settlement {
  readonly #around: Pick<Surroundings, 'arrived' | 'acknowledge'>;
  readonly #keep: Keep;
  #settling: Promise<unknown> = Promise.resolve();
  /** The files are being read: no prompt may change them meanwhile. */
  packing = false;

  constructor(around: Pick<Surroundings, 'arrived' | 'acknowledge'>, keep: Keep) {
    this.#around = around;
    this.#keep = keep;
  }

  /** Settles when all that was answered is acknowledged. */
  settled(): Promise<unknown> {
    return this.#settling;
  }

  /** After a turn: keeps, says that it has, and acknowledges once the turn's end stands in the output. */
  add(
    turn: { entryId: string | undefined; seq: number; session: string | undefined },
    onPacked: () => void,
  ): void {
    this.packing = true;
    const packed = this.#keep.pack(turn.session).then((kept) => {
      this.packing = false;
      onPacked();
      return kept;
    });
    this.#settling = Promise.all([packed, this.#settling]).then(async ([kept]) => {
      await this.#around.arrived(turn.seq);
      if (turn.entryId === undefined) return this.#keep.save(kept);
      await this.#around.acknowledge(
        turn.entryId,
        (transaction) => kept && this.#keep.store(transaction, kept),
      );
    });
  }

  /** After the only turn: keeps; what is to be acknowledged is left to the body's last words. */
  async last(session: string | undefined, entryId: string | undefined): Promise<Over['answered']> {
    const packed = this.#keep.pack(session);
    this.#settling = packed;
    const kept = await packed;
    if (entryId === undefined) return undefined;
    return { id: entryId, also: (transaction) => kept && this.#keep.store(transaction, kept) };
  }
}
