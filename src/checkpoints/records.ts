/** The files of a checkpoint that every store has: its record and its conversation. Pure. */
import { z } from 'zod';
import { type CheckpointDetails, type CheckpointView, checkpointDetails } from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';

const savedConversation = z.object({ session: z.string(), archive: z.string() });

export const formatConversation = ({ session, archive }: StoredConversation): string =>
  JSON.stringify({ session, archive: archive.toString('base64') });

/** Throws if it is not a conversation. */
export function parseConversation(text: string): StoredConversation {
  const { session, archive } = savedConversation.parse(JSON.parse(text));
  return { session, archive: Buffer.from(archive, 'base64') };
}

/** Undefined if it cannot be read: a damaged record hides its checkpoint, and nothing else. */
export function parseCheckpointRecord(text: string): CheckpointDetails | undefined {
  try {
    return checkpointDetails.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The order of lists. */
export const newestFirst = (a: CheckpointView, b: CheckpointView): number =>
  a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : 0;
