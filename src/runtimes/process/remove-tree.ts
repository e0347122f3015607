import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const OPTIONS = { recursive: true, force: true, maxRetries: 3 };
/** Errors for a folder that its owner cannot write or search, such as those of Go's module cache. */
const CLOSED = ['EACCES', 'EPERM', 'ENOTEMPTY'];

/** Deletes a folder and its content, even if a worker has removed permissions from its own folders. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, OPTIONS);
  } catch (error) {
    // Root needs no permission, and must not change modes if another user could insert a link meanwhile.
    if (process.getuid?.() === 0 || !CLOSED.includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
    await open(path);
    await rm(path, OPTIONS);
  }
}

async function open(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats?.isDirectory()) return;
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await open(join(path, entry.name));
}
