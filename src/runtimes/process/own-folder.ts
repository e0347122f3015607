import { chmod, lstat, mkdir } from 'node:fs/promises';

/** Makes a directory that only this user can change; if `shared`, others can pass through it. */
export async function ownFolder(path: string, shared: boolean): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const seen = await lstat(path);
  if (!seen.isDirectory() || seen.uid !== process.getuid?.() || (seen.mode & 0o022) !== 0)
    throw new Error(`${path} is not a directory that only this user can write`);
  if (shared && (seen.mode & 0o011) !== 0o011) await chmod(path, 0o711);
}

/** Whether there is a directory, which is not a link to one. */
export const isFolder = async (path: string) =>
  (await lstat(path).catch(() => undefined))?.isDirectory() === true;
