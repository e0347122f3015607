/**
 * Whether there is room on the disk where the engine keeps its images. Known only where that disk is this machine's;
 * of an engine elsewhere nothing is said, and nothing refused.
 */
import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { formatSize } from '../model/index.ts';
import { DockerClient, type ObserveCall } from '../runtimes/docker/client.ts';

/** How long an answer is taken for true. */
const CACHE_MS = 5000;

export interface DiskOptions {
  /** `unix:///path`, `/path`, `tcp://host:port`. */
  host: string;
  /** IMAGE_MIN_FREE; `undefined` never refuses. */
  minFreeBytes: number | undefined;
  observe?: ObserveCall;
  /** Free bytes of the file system of a folder; the real one without it. */
  freeBytes?: (folder: string) => Promise<number>;
  /** Milliseconds from anywhere. */
  clock?: () => number;
}

export interface Disk {
  /** Bytes that are free for the engine; `undefined` if unknown. */
  free(): Promise<number | undefined>;
  /** A sentence on why nothing can be built or started; `undefined` if there is room, or if it is unknown. */
  diskSpaceError(): Promise<string | undefined>;
  close(): void;
}

export function watchDisk(options: DiskOptions): Disk {
  const { host, minFreeBytes, clock = () => performance.now(), freeBytes = readFreeBytes } = options;
  const client = new DockerClient({ host, observe: options.observe });
  const local = host.startsWith('/') || host.startsWith('unix://');
  let root: string | undefined;
  let last: { until: number; free: Promise<number | undefined> } | undefined;

  async function look(): Promise<number | undefined> {
    try {
      root ??= local ? await findDockerRoot(client) : undefined;
      return root === undefined ? undefined : await freeBytes(root);
    } catch {
      // The code that needs an engine reports that it is away; a folder that is not here is another machine's.
      root = undefined;
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

/** The engine's folder, where the engine says that it runs on this machine, and not beside a container of ours. */
async function findDockerRoot(client: DockerClient): Promise<string | undefined> {
  const info = await client.call(
    'info',
    (docker, abortSignal) =>
      docker.info({ abortSignal } as never) as unknown as Promise<{ DockerRootDir?: string; Name?: string }>,
  );
  return info.Name === hostname() ? info.DockerRootDir : undefined;
}

/** What is free for everybody, without the reserve of root: an engine must not live on that. */
async function readFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
