/** The files of a checkpoint that every store has: its record and its conversation. Pure. */
import { z } from 'zod';
import { type CheckpointDetails, type CheckpointView, checkpointDetails } from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';
import { damaged } from './faults.ts';
import { type Pack, packFields } from './manifest.ts';
import type { NewCheckpoint, OpenSource } from './store.ts';

const savedConversation = z.object({ session: z.string(), archive: z.string() });

export const formatConversation = ({ session, archive }: StoredConversation): string =>
  JSON.stringify({ session, archive: archive.toString('base64') });

/** Throws a Fault if it is not a conversation; `id` is that of its checkpoint. */
export function parseConversation(text: string, id: string): StoredConversation {
  try {
    const { session, archive } = savedConversation.parse(JSON.parse(text));
    return { session, archive: Buffer.from(archive, 'base64') };
  } catch {
    throw damaged(id, 'its conversation cannot be read');
  }
}

/** A checkpoint whose archive is stored. */
export function completeCheckpoint(
  checkpoint: NewCheckpoint,
  { bytes, sha256 }: { bytes: number; sha256: string },
  { source, conversation }: OpenSource,
): CheckpointDetails {
  const warnings = source.warnings();
  return {
    ...checkpoint,
    format: source.format,
    bytes,
    sha256,
    conversation: conversation !== undefined,
    ...(warnings.length > 0 && { warnings }),
  };
}

/** What is stored of a checkpoint. Those of older versions have no packs, but one file with the whole archive. */
const storedRecord = z.object({ details: checkpointDetails, packs: z.array(packFields).optional() });
export type StoredRecord = z.infer<typeof storedRecord>;

export const formatCheckpointRecord = ({ details, packs }: StoredRecord): string =>
  JSON.stringify({ ...details, packs });

/** Undefined if it cannot be read: a damaged record hides its checkpoint, and nothing else. */
export function parseCheckpointRecord(text: string): StoredRecord | undefined {
  try {
    const value = JSON.parse(text) as { packs?: unknown };
    return storedRecord.parse({ details: value, packs: value.packs });
  } catch {
    return undefined;
  }
}

/** The files with the archive of a checkpoint. */
export const packsOf = ({ details, packs }: StoredRecord): readonly Pack[] =>
  packs ?? [{ name: details.sha256, bytes: details.bytes }];

/** The order of lists; of the same instant, any order that is always the same. */
export const newestFirst = (a: CheckpointView, b: CheckpointView): number =>
  compare(b.created_at, a.created_at) || compare(b.checkpoint_id, a.checkpoint_id);

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
