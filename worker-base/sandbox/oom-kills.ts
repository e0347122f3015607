import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the kernel reports it; the tests use other paths. */
export interface OomPaths {
  cgroup: string;
  self: string;
}
const PATHS: OomPaths = { cgroup: '/sys/fs/cgroup', self: '/proc/self/cgroup' };

/** Out-of-memory kills in this body's cgroup, counted by the kernel: nothing else distinguishes them from other kills. */
export class OomWatch {
  /** The file with the counter, found once: each that is missing costs an exception. */
  readonly #file: string | undefined;
  #seen: number | undefined;
  /** Number of functions and commands that were killed this way. */
  count = 0;

  constructor(places: OomPaths = PATHS) {
    this.#file = findCounterFiles(places).find((file) => readCount(file) !== undefined);
    this.#seen = this.#read();
  }

  /** Whether a process that has just died by SIGKILL was killed for that; undefined if the kernel does not report it. */
  happened(): boolean | undefined {
    const now = this.#read();
    if (now === undefined) return undefined;
    const more = now > (this.#seen ?? 0);
    this.#seen = now;
    if (more) this.count += 1;
    return more;
  }

  #read(): number | undefined {
    return this.#file === undefined ? undefined : readCount(this.#file);
  }
}

function readCount(file: string): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(text(file))?.[1];
  return count === undefined ? undefined : Number(count);
}

/** The body's own group first; in a container this is the root of the cgroup file system. */
function findCounterFiles({ cgroup, self }: OomPaths): string[] {
  const groups = text(self)
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const of = (controller: string) =>
    groups.find(([, names = '']) => names.split(',').includes(controller))?.[2];
  const second = [of('') ?? '/', '/'].map((path) => join(cgroup, path, 'memory.events'));
  const first = [of('memory') ?? '/', '/'].map((path) => join(cgroup, 'memory', path, 'memory.oom_control'));
  return [...second, ...first];
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
