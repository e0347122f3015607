import { z } from 'zod';
import { packages, requirements } from './packages.ts';
import { parseMemory } from './units.ts';

/** What thinks inside a worker; TASK runs functions of the operator's handler files, and takes no prompts. */
export const AGENT_TYPES = ['CLAUDE', 'FACTORY', 'CODEX', 'CUSTOM', 'TASK'] as const;
/** Tools that an image can be given. */
export const MODULES = ['GIT', 'GITHUB_CLI', 'COPIER', 'CURL', 'BUILD', 'DOCKER'] as const;
/** Where bodies live. */
export const RUNTIME_NAMES = ['docker', 'process', 'swarm'] as const;
/** Those that there are: a name may be on the wire before its runtime is made. */
export const USABLE_RUNTIMES: readonly RuntimeName[] = RUNTIME_NAMES.filter((name) => name !== 'swarm');
/** How a CUSTOM agent talks: plain lines, JSON objects one a line, or the Agent Client Protocol. */
export const PROTOCOLS = ['lines', 'json', 'acp'] as const;
export const RESTART_POLICIES = ['never', 'on-failure', 'always'] as const;

export type AgentType = (typeof AGENT_TYPES)[number];
export type RuntimeName = (typeof RUNTIME_NAMES)[number];
export type RestartPolicy = (typeof RESTART_POLICIES)[number];

/** Longest `instructions` and `prompt`, in characters: a command is meant for Redis, not for files. */
export const TEXT_LIMIT = 262_144;
/** Linux refuses a single argument or variable of 128 KiB and more (MAX_ARG_STRLEN). */
const ARGUMENT_LIMIT = 131_071;
const DAY = 86_400;

const noNul = (text: string) => !text.includes('\0');
const argument = z.string().max(ARGUMENT_LIMIT).refine(noNul, 'must not contain NUL');
const seconds = (max: number) => z.number().min(0).max(max);

/** A worker's id: a UUID, because it becomes part of keys, names, paths and access rules. */
export const workerId = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'must be a UUID in lower case');

/** Labels of the user's own, as docker's: they select and describe, and never hold what changes. */
const labels = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/, 'must be letters, digits and . _ / -'),
    z.string().max(1024).refine(noNul, 'must not contain NUL'),
  )
  .refine((map) => Object.keys(map).length <= 64, 'must have at most 64 entries');

const env = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, 'must be a variable name'), argument)
  .refine((map) => Object.keys(map).length <= 256, 'must have at most 256 entries');

/** A handler file: its name in HANDLERS_DIR, or its absolute path as the body sees it; in its plainest spelling. */
const handlerFile = z
  .string()
  .max(1024)
  .refine(
    (path) =>
      /^[^\p{C}]+\.(py|[cm]?[jt]s)$/u.test(path) &&
      path.split('/').every((part, at) => (part !== '' || at === 0) && part !== '.' && part !== '..'),
    'must be a .py, .js, .mjs, .cjs, .ts, .mts or .cts file: a name below HANDLERS_DIR, or an absolute path',
  );

/** The name of an image as docker writes it, with tag or digest. */
const imageReference = z
  .string()
  .max(512)
  .regex(
    /^[a-z0-9]+([._-]+[a-z0-9]+)*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    'must be the name of an image, such as registry.example:5000/team/worker:1.2',
  );

/** Limits of one body. What the runtime cannot enforce is refused with `unsupported`, never ignored. */
export const resources = z.strictObject({
  /** Bytes as docker writes them: `512m`, `2g`. At least 6 MiB, which is dockerd's own minimum. */
  memory: z
    .string()
    .refine(
      (text) => (parseMemory(text) ?? 0) >= 6 * 1024 ** 2,
      'must be a size of at least 6m, such as "512m"',
    )
    .optional(),
  /** Cores, such as 1.5. */
  cpus: z.number().min(0.01).max(1024).optional(),
  /** Processes and threads. */
  pids: z.number().int().min(8).max(4_194_304).optional(),
});

/** The fields of a worker that a `create` may carry; the specification of the worker. */
export const specFields = {
  agent_type: z.enum(AGENT_TYPES),
  /** Becomes CLAUDE.md and AGENTS.md. */
  instructions: z.string().max(TEXT_LIMIT).optional(),
  /** Programs that the agent may execute beside the few that no agent works without; absent, it may execute all. */
  allowed_commands: z
    .array(
      z
        .string()
        .regex(
          /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/,
          'must be the name of a program, without path or arguments',
        ),
    )
    .max(1000)
    .optional(),
  modules: z.array(z.enum(MODULES)).max(MODULES.length).optional(),
  /** Python packages that its image is built with: a list, or the text of a requirements file; Docker only. */
  requirements: requirements.optional(),
  /** Debian packages that its image is built with; Docker only. */
  packages: packages.optional(),
  /** For people; need not be unique. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'must be letters, digits and _ . -')
    .optional(),
  /** Headless: put on the input stream once. */
  prompt: z.string().min(1).max(TEXT_LIMIT).optional(),
  /** End after the first prompt is answered. */
  exit_after_prompt: z.boolean().optional(),
  /** Program and arguments; CUSTOM only, required there. */
  command_line: z.array(argument).min(1).max(1000).optional(),
  /** How the command talks; CUSTOM only, `lines` without it. */
  protocol: z.enum(PROTOCOLS).optional(),
  /** Version of the agent's CLI in the image instead of the pinned one; not for CUSTOM. */
  agent_version: z
    .string()
    .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]{1,64})?$/, 'must be an exact version such as 2.1.329')
    .optional(),
  /** Files with the functions that a TASK worker runs, read-only at /handlers in a container; TASK only. */
  handlers: z.array(handlerFile).min(1).max(64).optional(),
  /** Tasks that a TASK worker runs at the same time, each in a process of its own; 1 without it. TASK only. */
  concurrency: z.number().int().min(1).max(256).optional(),
  /** Whether a TASK worker runs tasks that are commands; without it, functions only. TASK only. */
  commands: z.boolean().optional(),
  /** A task that runs for longer is ended, whatever its own timeout says; without it, that alone counts. */
  max_job_time_seconds: z
    .number()
    .positive()
    .max(365 * DAY)
    .optional(),
  /** An image that holds the wrapper, instead of one that is built for the worker; Docker only. */
  image: imageReference.optional(),
  /** Variables of the agent; never for secrets, which are named in `secrets`. */
  env: env.optional(),
  secrets: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'must be a secret name'))
    .max(64)
    .optional(),
  runtime: z.enum([...RUNTIME_NAMES, 'auto']).default('auto'),
  resources: resources.optional(),
  restart_policy: z.enum(RESTART_POLICIES).default('never'),
  /** Restarts after which the worker is FAILED; without it there is no bound. */
  max_restarts: z.number().int().min(0).max(1_000_000).optional(),
  /** The agent's time between SIGTERM and SIGKILL; 10 as in docker stop. Its wrapper has up to 2 s more, to report the end. */
  stop_grace_seconds: seconds(3600).default(10),
  /** From the body's start to the wrapper's `ready`. */
  start_deadline_seconds: z.number().min(1).max(DAY).default(120),
  /** The worker's whole life, from its creation; without it there is no bound. */
  ttl_seconds: seconds(3650 * DAY).optional(),
  /** Neither input nor output for so long ends the worker; without it there is no bound. */
  idle_timeout_seconds: seconds(365 * DAY).optional(),
  /** In a turn, neither output nor a tool nor CPU for so long is taken for a hung agent, and the turn fails as `silent`; 300 without it. */
  silence_timeout_seconds: seconds(7 * DAY).optional(),
  /** How long the record of an ended worker is kept. */
  keep_finished_seconds: seconds(3650 * DAY).default(DAY),
  labels: labels.optional(),
  /** What task workers are called and counted by: the type of their pool. */
  worker_type: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$/, 'must be at most 40 of a-z, 0-9, _ and -')
    .optional(),
};

/** What is asked of a worker. It is stored as it was accepted, with `auto` resolved, and does not change. */
export const workerSpec = z.strictObject({
  ...specFields,
  runtime: z.enum(RUNTIME_NAMES),
  /** The pool that made it and may end it; never in a `create`. */
  pool: z.string().max(63).optional(),
  /** Names the template that it was made of: where the pool has another by now, it is replaced. */
  pool_revision: z.string().max(64).optional(),
  /** Boots up to its agent and waits for a `create` that takes its body over; made by pools only. */
  warm: z.literal(true).optional(),
});
export type WorkerSpec = z.infer<typeof workerSpec>;
