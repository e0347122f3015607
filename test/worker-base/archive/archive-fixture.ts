import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ArchiveDeps, Packing } from '../../../worker-base/archive/pack.ts';

/** A folder for one test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wm-archive-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const depsOf = (
  workspace: string,
  helperCommand: (argv: string[]) => string[] = (argv) => argv,
): ArchiveDeps => ({
  privileges: { helperCommand },
  settings: { workspace, bodyId: undefined, inherited: { PATH: process.env.PATH ?? '' } },
});

/** The archive of a packing, none of whose parts were known; `stored` has the chunks of earlier ones. */
export async function joinParts({ parts }: Packing, stored = new Map<string, Buffer>()): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const { bytes, sha256, length } of parts) {
    const chunk = bytes ?? stored.get(sha256.toString('hex'));
    if (chunk?.length !== length) throw new Error('a part is known that was never sent');
    stored.set(sha256.toString('hex'), chunk);
    all.push(chunk);
  }
  return Buffer.concat(all);
}

/** Every name with its type, mode, time, number of names, target and content. */
export function listing(workspace: string): string {
  const list = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%P|%y|%m|%n|%T@|%l\\0'], {
    cwd: workspace,
    maxBuffer: 1e9,
  });
  return list
    .toString('latin1')
    .split('\0')
    .filter(Boolean)
    .map((line) => {
      const [name = '', type] = line.split('|');
      // The archive has whole seconds, and how many names a folder has depends on the file system.
      const text = line.replace(/\.\d+\|/, '|').replace(/\|d\|(\d+)\|\d+\|/, '|d|$1|');
      if (type !== 'f') return text;
      const content = readFileSync(Buffer.from(`${workspace}/${name}`, 'latin1'));
      return `${text}|${createHash('sha256').update(content).digest('hex')}`;
    })
    .sort()
    .join('\n');
}
