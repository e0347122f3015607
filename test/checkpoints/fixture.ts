import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type ArchiveSource, inPieces, type SourcePart } from '../../src/checkpoints/archive-source.ts';
import type { CheckpointStore, NewCheckpoint } from '../../src/checkpoints/store.ts';
import { workerSpec } from '../../src/model/index.ts';

/** A folder for one test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

let second = 0;

/** What is known of a checkpoint before it is written; each is a second newer. */
export function newCheckpoint(more: Partial<NewCheckpoint> = {}): NewCheckpoint {
  second += 1;
  return {
    checkpoint_id: randomUUID(),
    worker_id: randomUUID(),
    trigger: 'request',
    created_at: new Date(Date.UTC(2030, 0, 1) + second * 1000).toISOString(),
    incarnation: 1,
    spec: workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['true'], runtime: 'process' }),
    ...more,
  };
}

/** An archive as a body sends it: whole, or in parts. */
export function toSource(content: Buffer | Readable | SourcePart[], warnings: string[] = []): ArchiveSource {
  const stream = content instanceof Readable ? content : undefined;
  return {
    format: 'tar.zst',
    parts: Array.isArray(content) ? Readable.from(content) : inPieces(stream ?? Readable.from([content])),
    warnings: () => warnings,
    destroy: () => void stream?.destroy(),
  };
}

/** Stores a checkpoint with that content, or 1000 random bytes. */
export function write(
  store: CheckpointStore,
  {
    content = randomBytes(1000),
    mostBytes = 1e9,
    bases = [],
    ...more
  }: Partial<NewCheckpoint> & {
    content?: Buffer | Readable | SourcePart[];
    mostBytes?: number;
    bases?: string[];
  } = {},
) {
  return store.write(newCheckpoint(more), {
    findBases: async () => bases,
    open: async () => ({ source: toSource(content), conversation: undefined }),
    mostBytes,
  });
}

/** The content of an archive; undefined if there is none. */
export async function read(store: CheckpointStore, id: string): Promise<Buffer | undefined> {
  const opened = await store.open(id);
  return opened && buffer(opened.stream);
}
