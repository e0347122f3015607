/** The inputs of an image. Pure; `image-name.ts` derives the name from it. */
import { getAgentKind } from '../agents/index.ts';
import type { AgentType, WorkerSpec } from '../model/index.ts';
import { getModules, type ModuleName } from '../modules/index.ts';

/** The base of all other images. */
export interface Base {
  /** The reference as written after `FROM`. */
  name: string;
  /** The registry's digest, or the engine's image ID: distinguishes two images with the same name. */
  digest: string;
}

/** The inputs that all images of one manager share at a given time. */
export interface BuildInputs {
  base: Base;
  /** sha256 over the wrapper and the fixed files of `worker-base/image/`. */
  wrapper: string;
  /** The engine's name for its processor, such as `amd64`. */
  arch: string;
}

export interface Recipe extends BuildInputs {
  agent: {
    type: AgentType;
    /** The npm package of the CLI, its exact version, and its program; absent if there is no CLI. */
    package?: string;
    version?: string;
    program?: string;
    /** Its path below `node_modules`, as a shell pattern; absent if npm's link points to it. */
    native?: string;
    /** Debian packages that the agent requires. */
    debian?: string[];
  };
  /** Without duplicates, in the order of the table. */
  modules: ModuleName[];
  /** Additional Debian packages, sorted and without duplicates; absent if there are none. */
  packages?: string[];
  /** Python packages as lines of a requirements file; also sorted, without duplicates, and absent if none. */
  requirements?: string[];
  /** Every program outside the base set belongs to its own group, so that a worker can be denied it. */
  locked: boolean;
}

/** The recipe of a worker's image; equal for all workers that can share one. */
export function createRecipe(
  spec: Pick<
    WorkerSpec,
    'agent_type' | 'agent_version' | 'modules' | 'packages' | 'requirements' | 'allowed_commands'
  >,
  ground: BuildInputs,
): Recipe {
  const { cli, debian } = getAgentKind(spec.agent_type);
  return {
    agent: {
      type: spec.agent_type,
      ...(debian && { debian: [...debian].sort() }),
      ...(cli && {
        package: cli.package,
        version: spec.agent_version ?? cli.version,
        program: cli.program,
        ...(cli.native !== undefined && { native: cli.native }),
        debian: [...new Set(cli.debian)].sort(),
      }),
    },
    modules: getModules(spec.modules ?? []).map(({ name }) => name),
    // Absent instead of empty, so that the names of images without them do not change.
    ...(spec.packages?.length && { packages: [...new Set(spec.packages)].sort() }),
    ...(spec.requirements?.length && { requirements: [...new Set(spec.requirements)].sort() }),
    locked: spec.allowed_commands !== undefined,
    base: { name: ground.base.name, digest: ground.base.digest },
    wrapper: ground.wrapper,
    arch: ground.arch,
  };
}
