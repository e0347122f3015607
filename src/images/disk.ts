/**
 * Checks the free space on the disk where the engine stores its images: at the engine's own folder if the engine runs on
 * this machine, or at the folder that the operator names. For any other engine, nothing is reported or refused.
 */
import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { formatSize } from '../model/index.ts';
import { DockerClient, type ObserveCall } from '../runtimes/docker/client.ts';

/** How long a result is cached. */
const CACHE_MS = 5000;

export interface DiskOptions {
  /** `unix:///path`, `/path`, `tcp://host:port`. */
  host: string;
  /** IMAGE_MIN_FREE; `undefined` disables the check. */
  minFreeBytes: number | undefined;
  /** IMAGE_DISK_PATH: a folder on that disk; by default, the engine is asked. */
  folder?: string | undefined;
  observe?: ObserveCall;
  /** Returns the free bytes of a folder's file system; defaults to the real one. */
  freeBytes?: (folder: string) => Promise<number>;
  /** A monotonic clock in milliseconds. */
  clock?: () => number;
}

export interface Disk {
  /** Free bytes for the engine; `undefined` if unknown. */
  free(): Promise<number | undefined>;
  /** Why nothing can be built or started; `undefined` if there is space, or if it is unknown. */
  diskSpaceError(): Promise<string | undefined>;
  close(): void;
}

export function watchDisk(options: DiskOptions): Disk {
  const { host, minFreeBytes, clock = () => performance.now(), freeBytes = readFreeBytes } = options;
  const client = new DockerClient({ host, observe: options.observe });
  const local = host.startsWith('/') || host.startsWith('unix://');
  let root = options.folder;
  let last: { until: number; free: Promise<number | undefined> } | undefined;

  async function look(): Promise<number | undefined> {
    try {
      root ??= local ? await findDockerRoot(client) : undefined;
      return root === undefined ? undefined : await freeBytes(root);
    } catch {
      // Code that needs an engine reports that it is down. A folder that is missing here belongs to another
      // machine.
      root = options.folder;
      return undefined;
    }
  }

  function free(): Promise<number | undefined> {
    if (!last || last.until < clock()) last = { until: clock() + CACHE_MS, free: look() };
    return last.free;
  }

  return {
    free,
    async diskSpaceError() {
      if (minFreeBytes === undefined) return undefined;
      const left = await free();
      if (left === undefined || left >= minFreeBytes) return undefined;
      return (
        `Only ${formatSize(left)} are free at ${root}, where Docker stores its images; IMAGE_MIN_FREE requires ` +
        `${formatSize(minFreeBytes)}. Free some space (\`wm images gc\`, docker system prune), or lower it.`
      );
    },
    close: () => client.close(),
  };
}

/**
 * The engine's folder, if the engine reports that it runs on this machine and the manager is not in a
 * container.
 */
async function findDockerRoot(client: DockerClient): Promise<string | undefined> {
  const info = await client.call(
    'info',
    (docker, abortSignal) =>
      docker.info({ abortSignal } as never) as unknown as Promise<{ DockerRootDir?: string; Name?: string }>,
  );
  return info.Name === hostname() ? info.DockerRootDir : undefined;
}

/** Space available to every user, without root's reserve, which an engine must not use up. */
async function readFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
