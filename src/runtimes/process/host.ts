/**
 * Resources of this machine for direct workers: cgroups, a user, cores and memory. Each is detected at first
 * use.
 */
import { availableParallelism, totalmem } from 'node:os';
import { readMachineMemory } from '../machine-memory.ts';
import type { RuntimeInfo } from '../runtime.ts';
import { type CgroupSupport, findCgroups, NO_CGROUPS } from './cgroup-support.ts';
import { withRlimit } from './limits.ts';
import type { ProcessRuntimeOptions } from './process-options.ts';
import { type ChosenUser, chooseUser, NO_USER, ownName } from './process-user.ts';

export class ProcessHost {
  readonly #options: ProcessRuntimeOptions;
  #support: Promise<CgroupSupport> | undefined;
  #user: Promise<ChosenUser> | undefined;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
  }

  cgroups(): Promise<CgroupSupport> {
    const { cell, cgroups = true } = this.#options;
    this.#support ??= cgroups ? findCgroups(cell) : Promise.resolve(NO_CGROUPS);
    return this.#support;
  }

  /** Throws if the requested user cannot be used; a body never runs as another one instead. */
  user(): Promise<ChosenUser> {
    const { user = NO_USER, root, wrapper, programs = [] } = this.#options;
    const files = [...wrapper.argv, ...programs];
    this.#user ??= chooseUser(user, { root, files }).catch((error) => {
      this.#user = undefined;
      throw error;
    });
    return this.#user;
  }

  /** Called when the machine, or its list of users, may have changed. */
  refresh(): void {
    this.#user = undefined;
  }

  async info(): Promise<RuntimeInfo> {
    const { version, limits } = await this.cgroups();
    const means = version ? `cgroup ${version}` : 'no cgroup';
    const { user, why } = await this.user();
    return {
      name: 'process',
      version: `process (${process.platform}, ${means})`,
      limits: withRlimit(limits),
      user: { name: user?.name ?? ownName(), own: user !== undefined, why },
      machine: {
        cores: availableParallelism(),
        memory_bytes: readMachineMemory()?.total_bytes ?? totalmem(),
        local: true,
      },
    };
  }
}
