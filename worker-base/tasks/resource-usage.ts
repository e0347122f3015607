/**
 * CPU and memory of the body that this program runs in: of its cgroup where it has a limit or a container of its own,
 * else of the machine, which is what a direct worker shares.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

export interface LoadReading {
  /** Percent of all cores that the body may use. */
  cpuPercent: number;
  /** Percent of the memory that the body may use. */
  memoryPercent: number;
}

/** Paths of the usage files; tests use other paths. */
export interface ResourcePaths {
  cgroup: string;
  proc: string;
}
const PATHS: ResourcePaths = { cgroup: '/sys/fs/cgroup', proc: '/proc' };

interface Sample {
  /** Seconds of CPU used, and the time of the measurement. */
  cpu: number | undefined;
  at: number;
}

/** Measures the usage; CPU is measured between two calls. */
export class ResourceMeter {
  readonly #places: ResourcePaths;
  readonly #files: Files;
  #last: Sample;
  #cpuPercent = 0;

  constructor(places: ResourcePaths = PATHS) {
    this.#places = places;
    this.#files = openFiles(places);
    this.#last = this.#sample();
  }

  /** The usage is that of the body alone, not of the shared machine. */
  get own(): boolean {
    return this.#files.own;
  }

  /** Cores, with a quota's fraction. */
  get cores(): number {
    return this.#files.quota() ?? availableParallelism();
  }

  /** Bytes that the body may use. */
  get memoryBytes(): number {
    const limit = this.#files.memoryLimit();
    return limit === undefined || limit > totalmem() ? totalmem() : limit;
  }

  read(): LoadReading {
    const now = this.#sample();
    const seconds = (now.at - this.#last.at) / 1000;
    // Two samples at the same time have no rate.
    if (seconds > 0.01) {
      if (now.cpu !== undefined && this.#last.cpu !== undefined)
        this.#cpuPercent = ((now.cpu - this.#last.cpu) / seconds / this.cores) * 100;
      this.#last = now;
    }
    const used = this.#files.memoryUsed();
    const percent = used === undefined ? 0 : (used / this.memoryBytes) * 100;
    return {
      cpuPercent: round(Math.min(100, Math.max(0, this.#cpuPercent))),
      memoryPercent: round(Math.min(100, percent)),
    };
  }

  #sample(): Sample {
    return { cpu: this.#files.cpuSeconds() ?? machineCpu(this.#places.proc), at: performance.now() };
  }
}

interface Files {
  own: boolean;
  cpuSeconds(): number | undefined;
  quota(): number | undefined;
  memoryLimit(): number | undefined;
  memoryUsed(): number | undefined;
}

/** In a container the root of the cgroup file system is the container's own group: it has limits, the machine's has none. */
function openFiles({ cgroup, proc }: ResourcePaths): Files {
  const number = (path: string): number | undefined => {
    const value = Number(text(path)?.trim());
    return Number.isFinite(value) ? value : undefined;
  };
  const field = (path: string, name: string): number | undefined => {
    const value = new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text(path) ?? '')?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const free = () => {
    const [total, available] = ['MemTotal', 'MemAvailable'].map((name) => field(`${proc}/meminfo`, name));
    return total === undefined || available === undefined ? undefined : (total - available) * 1024;
  };
  if (text(`${cgroup}/memory.current`) !== undefined) {
    return {
      own: true,
      cpuSeconds: () => scaled(field(`${cgroup}/cpu.stat`, 'usage_usec'), 1e6),
      quota: () => {
        const [quota, period] = (text(`${cgroup}/cpu.max`) ?? 'max').trim().split(' ');
        return quota === 'max' ? undefined : Number(quota) / Number(period);
      },
      memoryLimit: () => number(`${cgroup}/memory.max`),
      memoryUsed: () =>
        less(number(`${cgroup}/memory.current`), field(`${cgroup}/memory.stat`, 'inactive_file')),
    };
  }
  // In cgroup v1 the machine's root has a limit as well, close to the maximum integer.
  const limit = number(`${cgroup}/memory/memory.limit_in_bytes`);
  if (limit !== undefined && inContainer(proc)) {
    const [quota, period] = ['cfs_quota_us', 'cfs_period_us'].map((name) =>
      number(`${cgroup}/cpu/cpu.${name}`),
    );
    return {
      own: true,
      cpuSeconds: () => scaled(number(`${cgroup}/cpuacct/cpuacct.usage`), 1e9),
      quota: () => (quota && period && quota > 0 ? quota / period : undefined),
      memoryLimit: () => limit,
      memoryUsed: () =>
        less(
          number(`${cgroup}/memory/memory.usage_in_bytes`),
          field(`${cgroup}/memory/memory.stat`, 'total_inactive_file'),
        ),
    };
  }
  return {
    own: false,
    cpuSeconds: () => undefined,
    quota: () => undefined,
    memoryLimit: () => undefined,
    memoryUsed: free,
  };
}

/** The file that marks a container of Docker; Podman has another. */
function inContainer(proc: string): boolean {
  return proc === '/proc' && (text('/.dockerenv') !== undefined || text('/run/.containerenv') !== undefined);
}

/** Seconds in which the machine's cores were not idle. */
function machineCpu(proc: string): number | undefined {
  if (text(`${proc}/stat`) === undefined) return undefined;
  return cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1000, 0);
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const scaled = (value: number | undefined, by: number) => (value === undefined ? undefined : value / by);
const less = (value: number | undefined, cache = 0) =>
  value === undefined ? undefined : Math.max(0, value - cache);
const round = (value: number) => Math.round(value * 10) / 10;
