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

/** A process that is there and has not been waited for. */
export function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Signals a process that may end at the same moment. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone.
  }
}

function read(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined;
  }
}
