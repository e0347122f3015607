/**
 * The names of the runtimes and what each of them can do, whether or not it answers at the moment. The only place outside
 * of `src/runtimes` and `src/config` that spells these names; other code asks for capabilities. What depends on a machine
 * or on an engine's version is in `RuntimeInfo`.
 */
export interface RuntimeCapabilities {
  /** Its name in messages for people. */
  title: string;
  /** Its name in a pool's `execution_mode`, and the first part of the names of a pool's workers. */
  mode: string;
  /** Bodies run an image, which is built for the worker or named in its spec; otherwise what the machine has installed. */
  usesImages: boolean;
  /** `allowed_commands` is enforced; otherwise it is advice to the agent. */
  enforcesCommands: boolean;
  /** Each body has its own network address and may use any port; otherwise bodies share the machine's ports. */
  hasOwnAddress: boolean;
  /** Where a body finds the files of HANDLERS_DIR; absent if it sees the directory itself. */
  handlersMount?: string;
  /** Bodies run the wrapper bundle of this checkout, `dist/wrapper.mjs`. */
  needsWrapperBundle: boolean;
  /** Bodies are processes of the manager's own machine, which `serve --cleanup` stops. */
  hasLocalBodies: boolean;
  /** Memory of a task worker whose pool names no `memory_limit`; absent means no limit. */
  taskMemory?: string;
  /** What an operator can do if it does not answer. */
  remedy: string;
}

/** In the order of preference. */
export const RUNTIMES = {
  docker: {
    title: 'Docker',
    mode: 'docker',
    usesImages: true,
    enforcesCommands: true,
    hasOwnAddress: true,
    handlersMount: '/handlers',
    needsWrapperBundle: false,
    hasLocalBodies: false,
    taskMemory: '1g',
    remedy: 'Start Docker, or set DOCKER_HOST to where it listens',
  },
  process: {
    title: 'direct',
    mode: 'direct',
    usesImages: false,
    enforcesCommands: false,
    hasOwnAddress: false,
    needsWrapperBundle: true,
    hasLocalBodies: true,
    remedy: 'See the message',
  },
} as const satisfies Record<string, RuntimeCapabilities>;

/** Names that a `create` may carry and that no runtime has: they are refused with `unsupported`, and offered nowhere. */
export const RESERVED_RUNTIME_NAMES = ['swarm'] as const;
