/** Whether this program and an engine are compatible. */
import { RuntimeDown } from '../runtime.ts';

/** The API versions that this code supports; 1.44 is Docker 25 and the oldest that Docker 29 supports. */
const OLDEST_API = '1.40';
const NEWEST_API = '1.47';

/** The fields of `docker version` that are read. */
export interface EngineVersions {
  Version?: string;
  ApiVersion?: string;
  MinAPIVersion?: string;
  /** The engine's components. */
  Components?: readonly { Name?: string; Version?: string }[];
}

/** The name of Podman among its components. */
const PODMAN = 'Podman Engine';

/**
 * Returns the newest API version that both sides support. Throws `RuntimeDown` if there is none, or for
 * Podman.
 */
export function commonVersion(engine: EngineVersions): string {
  const podman = engine.Components?.find(({ Name }) => Name === PODMAN);
  if (podman) {
    throw new RuntimeDown(
      `Podman ${podman.Version ?? ''} is not supported: it refuses tmpfs mounts that belong to a user, which keep the secrets of ` +
        'workers apart, and the log driver "local". Set DOCKER_HOST to the address of Docker, or RUNTIME to process.',
    );
  }
  const newest = engine.ApiVersion ?? '';
  const oldest = engine.MinAPIVersion ?? newest;
  if (!/^\d+\.\d+$/.test(newest) || !/^\d+\.\d+$/.test(oldest)) {
    throw new RuntimeDown(
      'The server is not a Docker engine: it does not report its API version. Check DOCKER_HOST.',
    );
  }
  const common = isOlder(newest, NEWEST_API) ? newest : NEWEST_API;
  if (!isOlder(common, oldest) && !isOlder(common, OLDEST_API)) return common;
  throw new RuntimeDown(
    `Docker ${engine.Version ?? ''} supports API ${oldest} to ${newest}, and this program ${OLDEST_API} to ${NEWEST_API}. ` +
      `Update ${isOlder(newest, OLDEST_API) ? 'Docker' : 'worker-manager'}.`,
  );
}

function isOlder(a: string, b: string): boolean {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA !== majorB ? majorA < majorB : minorA < minorB;
}
