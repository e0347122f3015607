import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
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
    format: 'tar.zst',
    spec: workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['true'], runtime: 'process' }),
    ...more,
  };
}

/** Stores a checkpoint with that content, or 1000 random bytes. */
export function write(
  store: CheckpointStore,
  {
    content = randomBytes(1000),
    mostBytes = 1e9,
    ...more
  }: Partial<NewCheckpoint> & { content?: Buffer | Readable; mostBytes?: number } = {},
) {
  const archive = content instanceof Readable ? content : Readable.from([content]);
  return store.write(newCheckpoint(more), {
    archive,
    mostBytes,
    conversation: undefined,
    warnings: () => [],
  });
}

/** The content of an archive; undefined if there is none. */
export async function read(store: CheckpointStore, id: string): Promise<Buffer | undefined> {
  const opened = await store.open(id);
  return opened && buffer(opened.stream);
}
