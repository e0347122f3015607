import { readdir, readFile } from 'node:fs/promises';

/** A live process of a body, read from the environment in /proc and not by the code under test. */
export interface Seen {
  pid: number;
  ppid: number;
  state: string;
  argv: string[];
}

/** The live processes with this body's ID in their environment, without zombies; the shim is one of them. */
export async function processesOf(bodyId: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [environ, stat, cmdline] = await Promise.all(
      ['environ', 'stat', 'cmdline'].map((file) =>
        readFile(`/proc/${name}/${file}`, 'latin1').catch(() => ''),
      ),
    );
    if (!environ?.split('\0').includes(`WORKER_BODY_ID=${bodyId}`)) continue;
    const [state = 'X', ppid] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    if (!['Z', 'X'].includes(state)) {
      seen.push({ pid: Number(name), ppid: Number(ppid), state, argv: (cmdline ?? '').split('\0') });
    }
  }
  return seen;
}
