/**
 * What one module is: a tool that an image can be given. One file a module, and one row in `index.ts`.
 *
 * Pure data. Its texts become part of the Dockerfile, and so of the image's name: a module that changes, changes the
 * images that have it. Nothing in it may depend on the machine that builds.
 */
import type { WorkerSpec } from '../model/index.ts';

export type ModuleName = NonNullable<WorkerSpec['modules']>[number];

export interface Module {
  name: ModuleName;
  /** Debian packages of the base's release, installed without their recommendations. */
  debian: string[];
  /**
   * A builder stage, named like the module in small letters: its lines after `FROM`. `/ca.crt` is there, empty if
   * no certificates were given; nothing of the stage is in the image but what `lines` copy from it.
   */
  stage?: string[];
  /**
   * Dockerfile instructions after the packages, as root. A script that they put at `/worker/services/NAME.sh` is run
   * by `sh` as the agent's user before the wrapper starts, and returns when what it started is ready.
   */
  lines?: string[];
  /** Program and arguments that must succeed in the image, as the agent; what a test runs, not the build. */
  proof: string[];
  /** What a container with the module is given beside the ordinary; absent where it needs nothing. */
  host?: HostNeeds;
}

/** What weakens the container. Only with the operator's leave (`ALLOW_PRIVILEGED`). */
export interface HostNeeds {
  capAdd: string[];
  securityOpt: string[];
  /** Nothing of /proc and /sys is masked or read-only (docker's `--security-opt systempaths=unconfined`). */
  systemPaths: boolean;
  /** Device nodes of the host. */
  devices: string[];
  /** Paths that must lie on a volume, for the layers below cannot hold what is written there. */
  volumes: string[];
  /** File capabilities have to work, so the agent is started without no_new_privs. */
  newPrivileges: boolean;
}
