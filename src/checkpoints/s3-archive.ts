/** Gathers an archive in a file, because S3 needs to know its length. */
import { open } from 'node:fs/promises';
import { Fault } from '../model/index.ts';
import type { ArchiveSource } from './archive-source.ts';
import { hashChunks } from './manifest.ts';
import { sha256Of, tooLong, writeAll } from './pack-files.ts';

/** Writes all chunks to a new file. Throws if they break off or are too long. */
export async function writeArchive(
  path: string,
  { parts }: ArchiveSource,
  mostBytes: number,
): Promise<{ bytes: number; sha256: string }> {
  const file = await open(path, 'wx', 0o600);
  const chunks: { sha256: string }[] = [];
  let bytes = 0;
  try {
    for await (const part of parts) {
      if ('known' in part) throw new Fault('internal', 'The body referred to a chunk that was not sent.');
      bytes += part.bytes.length;
      if (bytes > mostBytes) throw tooLong(mostBytes);
      chunks.push({ sha256: sha256Of(part.bytes) });
      await writeAll(file, part.bytes);
    }
    return { bytes, sha256: hashChunks(chunks) };
  } finally {
    await file.close();
  }
}
