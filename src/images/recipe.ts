/** What an image is made of. Pure; the name that follows from it is in `image-name.ts`. */
import { getAgentKind } from '../agents/index.ts';
import type { AgentType, WorkerSpec } from '../model/index.ts';
import { getModules, type ModuleName } from '../modules/index.ts';

/** The image that all others stand on. */
export interface Base {
  /** As it stands behind `FROM`. */
  name: string;
  /** Of the registry, or else the engine's id of the image: distinguishes two images of one name. */
  digest: string;
}

/** What is the same for every image that one manager builds at one time. */
export interface BuildInputs {
  base: Base;
  /** sha256 over the wrapper and the fixed files of `worker-base/image/`. */
  wrapper: string;
  /** The engine's word for its processor, such as `amd64`. */
  arch: string;
}

export interface Recipe extends BuildInputs {
  agent: {
    type: AgentType;
    /** The npm package with the CLI, its exact version, and the program in it; absent where there is none. */
    package?: string;
    version?: string;
    program?: string;
    /** Where it lies below `node_modules`, as a shell's pattern; absent where npm's link leads to it. */
    native?: string;
    /** Debian packages that the agent does not work without. */
    debian?: string[];
  };
  /** Each once, in the order of the table. */
  modules: ModuleName[];
  /** Debian packages beyond those, each once, in alphabetical order; absent if there are none. */
  packages?: string[];
  /** Python packages as lines of a requirements file, in the same way. */
  requirements?: string[];
  /** Every program outside of a base set belongs to a group of its own, so that a worker can be refused it. */
  locked: boolean;
}

/** The recipe of a worker's image: equal for all workers that can share one. */
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
    // Absent rather than empty: the names of images without them stay what they are.
    ...(spec.packages?.length && { packages: [...new Set(spec.packages)].sort() }),
    ...(spec.requirements?.length && { requirements: [...new Set(spec.requirements)].sort() }),
    locked: spec.allowed_commands !== undefined,
    base: { name: ground.base.name, digest: ground.base.digest },
    wrapper: ground.wrapper,
    arch: ground.arch,
  };
}
