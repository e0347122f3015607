import type { PackedSession, SessionArchive } from '../agent/session-archive.ts';
import type { TurnJournal } from '../agent/turn-journal.ts';
import type { AddCommands, WorkloadContext, WorkloadResult } from '../workload.ts';

/** After a turn: stores its conversation and acknowledges its prompt in one transaction. */
export class TurnCommit {
  readonly #context: Pick<WorkloadContext, 'arrived' | 'acknowledge' | 'spec' | 'heartbeat'>;
  readonly #archive: SessionArchive;
  readonly #journal: TurnJournal;
  #settling: Promise<unknown> = Promise.resolve();
  /** The files are being read, so no prompt may change them meanwhile. */
  packing = false;

  constructor(
    context: Pick<WorkloadContext, 'arrived' | 'acknowledge' | 'spec' | 'heartbeat'>,
    archive: SessionArchive,
    journal: TurnJournal,
  ) {
    this.#context = context;
    this.#archive = archive;
    this.#journal = journal;
  }

  /** Settles when all handled prompts are acknowledged. */
  settled(): Promise<unknown> {
    return this.#settling;
  }

  /** After a turn: stores the archive, reports it, and acknowledges once the turn's end is in the output. */
  add(
    turn: { entryId: string | undefined; seq: number; session: string | undefined },
    onPacked: () => void,
  ): void {
    this.packing = true;
    const packed = this.#archive.pack(turn.session).then((archived) => {
      this.packing = false;
      onPacked();
      return archived;
    });
    this.#settling = Promise.all([packed, this.#settling]).then(async ([archived]) => {
      await this.#context.arrived(turn.seq);
      if (turn.entryId === undefined) return this.#archive.save(archived);
      await this.#context.acknowledge(turn.entryId, this.#closing(turn.entryId, archived));
    });
    const { checkpoint } = this.#context.spec;
    if (checkpoint?.on.includes('turn'))
      void this.#settling.then(
        () => this.#context.heartbeat.turnEnded(),
        () => {},
      );
  }

  /** After the only turn: stores the archive; the body's shutdown acknowledges the prompt. */
  async last(session: string | undefined, entryId: string | undefined): Promise<WorkloadResult['answered']> {
    const packed = this.#archive.pack(session);
    this.#settling = packed;
    const archived = await packed;
    if (entryId === undefined) return undefined;
    return {
      id: entryId,
      also: this.#closing(entryId, archived),
      storeConversation: (transaction) => {
        if (archived) this.#archive.store(transaction, archived);
      },
    };
  }

  /** The commands in the transaction of the acknowledgement. */
  #closing(entryId: string, archived: PackedSession | undefined): AddCommands {
    return (transaction) => {
      if (archived) this.#archive.store(transaction, archived);
      this.#journal.end(transaction, entryId);
    };
  }
}
