/** A store in which checkpoints share chunks, and what a test does with it. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect } from 'vitest';
import type { SourcePart } from '../../src/checkpoints/archive-source.ts';
import { CheckpointDirectory } from '../../src/checkpoints/directory.ts';
import { sumCheckpointBytes } from '../../src/checkpoints/limits.ts';
import { newCheckpoint, newFolder, toSource, write } from './fixture.ts';

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
export const newChunks = (count: number, bytes = 10_000) =>
  Array.from({ length: count }, () => randomBytes(bytes));
/** As a body sends it that knows which chunks the base has. */
export const toParts = (chunks: Buffer[], known: Buffer[] = []): SourcePart[] =>
  chunks.map((bytes) => (known.includes(bytes) ? { known: sha256(bytes) } : { bytes }));
export const opened = (parts: SourcePart[]) => ({ source: toSource(parts), conversation: undefined });

export let root: string;
export let store: CheckpointDirectory;

/** Each test of the file gets a store of its own. */
export function useStore(): void {
  beforeEach(() => {
    root = newFolder();
    store = new CheckpointDirectory(root);
  });
}

export const packsOf = (id: string) => readdirSync(join(root, id)).filter((name) => name.startsWith('pack-'));
export const objects = () => readdirSync(join(root, 'objects'));
export const total = async () => sumCheckpointBytes(await store.list());
export const save = async (
  chunks: Buffer[],
  base?: string,
  known: Buffer[] = base === undefined ? [] : chunks.slice(1),
) =>
  (await write(store, { content: toParts(chunks, known), bases: base === undefined ? [] : [base] }))
    .checkpoint_id;

/** The base that a checkpoint would have. */
export async function baseOf(bases: string[]): Promise<string | undefined> {
  let found: string | undefined;
  const open = async (base: string | undefined) => {
    found = base;
    throw new Error('enough');
  };
  const writing = store.write(newCheckpoint(), { findBases: async () => bases, open, mostBytes: 1e9 });
  await expect(writing).rejects.toThrow('enough');
  return found;
}
