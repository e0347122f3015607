/** Where checkpoints are kept: an interface with one implementation per kind of place. */
import type { Readable } from 'node:stream';
import type { CheckpointDetails, CheckpointView } from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';
import type { ArchiveSource } from './archive-source.ts';
import type { Pack } from './manifest.ts';

/** What is known of a checkpoint before its archive is written. */
export type NewCheckpoint = Omit<
  CheckpointDetails,
  'format' | 'bytes' | 'sha256' | 'conversation' | 'expires_at' | 'warnings'
>;

/** The archive of a checkpoint, while it is read. */
export interface OpenArchive {
  checkpoint: CheckpointDetails;
  /** Fails with a Fault if what was stored is damaged. */
  stream: Readable;
}

export interface NewContent {
  /** Finds checkpoints whose chunks this one may use again, the best first. Not called by a store that shares nothing. */
  findBases(): Promise<readonly string[]>;
  /** Begins to send the archive, which may refer to chunks of `base`. Called once. */
  open(base: string | undefined): Promise<OpenSource>;
  mostBytes: number;
}

/** An archive that has begun, and the conversation that belongs to its files. */
export interface OpenSource {
  source: ArchiveSource;
  conversation: StoredConversation | undefined;
}

/**
 * Invariants of every implementation: a checkpoint is visible with everything that belongs to it, or not at all, whenever a
 * writer dies; several managers may write, read and delete at once; an archive that is being read is complete to its end.
 */
export interface CheckpointStore {
  /**
   * Stores a checkpoint. Throws if the archive breaks off, has more than `mostBytes`, or cannot be written; nothing is
   * left of it then, and its source is destroyed.
   */
  write(checkpoint: NewCheckpoint, content: NewContent): Promise<CheckpointDetails>;
  /** All checkpoints, newest first. */
  list(): Promise<StoredCheckpoint[]>;
  get(id: string): Promise<CheckpointDetails | undefined>;
  /** Opens the archive, which is not deleted for lack of space while it is open; undefined if there is none. */
  open(id: string): Promise<OpenArchive | undefined>;
  /** Keeps it as if it were being read, until the function that is returned is called; undefined if there is none. */
  hold(id: string): Promise<(() => void) | undefined>;
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
  /** The files with its archive; those with the same name are one, whichever checkpoints use it. */
  packs: readonly Pack[];
  /** Bytes of everything but the archive. */
  otherBytes: number;
  /** When it was written or read last, in milliseconds since 1970. */
  usedAt: number;
}
