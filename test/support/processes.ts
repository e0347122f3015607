/** Processes of this machine, as listed by `ps`. Linux only, like the tests that use it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Pids of the live processes whose command line holds that text. */
export function pidsWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => (read(pid, 'cmdline') ?? '').replaceAll('\0', ' ').includes(text))
    .filter((pid) => !/^State:\s+[ZX]/m.test(read(pid, 'status') ?? 'State:\tX'))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

function read(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}
