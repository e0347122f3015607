/** Where checkpoints are kept: an interface with one implementation per kind of place. */
import type { Readable } from 'node:stream';
import type { CheckpointDetails, CheckpointView } from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';

/** What is known of a checkpoint before its archive is written. */
export type NewCheckpoint = Omit<
  CheckpointDetails,
  'bytes' | 'sha256' | 'conversation' | 'expires_at' | 'warnings'
>;

/** The archive of a checkpoint, while it is read. */
export interface OpenArchive {
  checkpoint: CheckpointDetails;
  stream: Readable;
}

/**
 * Invariants of every implementation: a checkpoint is visible with everything that belongs to it, or not at all, whenever a
 * writer dies; several managers may write, read and delete at once; an archive that is being read is complete to its end.
 */
export interface CheckpointStore {
  /** Whether equal archives take the space of one. */
  readonly sharesContent: boolean;
  /**
   * Stores a checkpoint. `archive` is read to its end, and then `warnings` is called. Throws if the archive breaks off,
   * has more than `mostBytes`, or cannot be written; nothing is left of it then.
   */
  write(
    checkpoint: NewCheckpoint,
    content: {
      archive: Readable;
      mostBytes: number;
      conversation: StoredConversation | undefined;
      warnings: () => string[];
    },
  ): Promise<CheckpointDetails>;
  /** All checkpoints, newest first. */
  list(): Promise<StoredCheckpoint[]>;
  get(id: string): Promise<CheckpointDetails | undefined>;
  /** Opens the archive, which is not deleted for lack of space while it is open; undefined if there is none. */
  open(id: string): Promise<OpenArchive | undefined>;
  conversation(id: string): Promise<StoredConversation | undefined>;
  /** Sets when it is to be deleted, or that it is not. */
  expire(id: string, at: string | undefined): Promise<void>;
  /** False if there is none. */
  remove(id: string): Promise<boolean>;
  /** Whether its archive is being read now. */
  isRead(id: string): Promise<boolean>;
  /** Deletes what writers that died have left. */
  clean(): Promise<void>;
}

/** A checkpoint of the list, with what the budget needs. */
export interface StoredCheckpoint extends CheckpointView {
  /** Bytes of everything but the archive. */
  otherBytes: number;
  /** When it was written or read last, in milliseconds since 1970. */
  usedAt: number;
}
