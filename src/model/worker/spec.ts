import { z } from 'zod';
import { webhookTargets } from '../messages/webhook.ts';
import { RESERVED_RUNTIME_NAMES } from '../runtime-table.ts';
import { RUNTIME_NAMES } from '../runtimes.ts';
import { DAY_SECONDS, LONGEST_SECONDS, TEXT_LIMIT } from '../values/limits.ts';
import { type NameRule, SECRET_NAME, WORKER_NAME, WORKER_TYPE } from '../values/name-rules.ts';
import { sizeFrom } from '../values/quantities.ts';
import { checkpointFields, checkpointId } from './checkpoint-policy.ts';
import { packages, requirements } from './packages.ts';
import { workspaceFields } from './workspace.ts';

/** The agents; TASK runs functions of the operator's handler files and accepts no prompts. */
export const AGENT_TYPES = ['CLAUDE', 'FACTORY', 'CODEX', 'CUSTOM', 'TASK'] as const;
/** Tools that can be installed in an image. */
export const MODULES = ['GIT', 'GITHUB_CLI', 'COPIER', 'CURL', 'BUILD', 'DOCKER'] as const;
/** Protocol of a CUSTOM agent: plain lines, JSON objects (one per line), or the Agent Client Protocol. */
export const PROTOCOLS = ['lines', 'json', 'acp'] as const;
export const RESTART_POLICIES = ['never', 'on-failure', 'always'] as const;

export type AgentType = (typeof AGENT_TYPES)[number];
export type RestartPolicy = (typeof RESTART_POLICIES)[number];

/** Linux refuses a single argument or variable of 128 KiB or more (MAX_ARG_STRLEN). */
const ARGUMENT_LIMIT = 131_071;

const noNul = (text: string) => !text.includes('\0');
const argument = z.string().max(ARGUMENT_LIMIT).refine(noNul, 'must not contain NUL');
const seconds = (max: number) => z.number().min(0).max(max);
/** A name that users choose. */
export const nameBy = ({ pattern, allowed }: NameRule) => z.string().regex(pattern, `must be ${allowed}`);

/** A worker's ID: a UUID, because it becomes part of keys, names, paths and access rules. */
export const workerId = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'must be a lowercase UUID');

/** User-defined labels, as in Docker: they select and describe workers, and never hold changing data. */
const labels = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/, 'must be letters, digits and . _ / -'),
    z.string().max(1024).refine(noNul, 'must not contain NUL'),
  )
  .refine((map) => Object.keys(map).length <= 64, 'must have at most 64 entries');

const env = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, 'must be the name of an environment variable'),
    argument,
  )
  .refine((map) => Object.keys(map).length <= 256, 'must have at most 256 entries');

/** A handler file: its name in HANDLERS_DIR, or its absolute path inside the body, in normalized form. */
const handlerFile = z
  .string()
  .max(1024)
  .refine(
    (path) =>
      /^[^\p{C}]+\.(py|[cm]?[jt]s)$/u.test(path) &&
      path.split('/').every((part, at) => (part !== '' || at === 0) && part !== '.' && part !== '..'),
    'must be a .py, .js, .mjs, .cjs, .ts, .mts or .cts file: a name below HANDLERS_DIR, or an absolute path',
  );

/** The name of an image, with an optional tag or digest. */
const imageReference = z
  .string()
  .max(512)
  .regex(
    /^[a-z0-9]+([._-]+[a-z0-9]+)*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    'must be an image name, such as registry.example:5000/team/worker:1.2',
  );

/** 6 MiB is dockerd's own minimum. */
const MEMORY = sizeFrom('6m');

/** Limits of one body. A limit that the runtime cannot enforce is refused with `unsupported`. */
export const resources = z.strictObject({
  /** Bytes as Docker writes them: `512m`, `2g`. At least 6 MiB, which is dockerd's own minimum. */
  memory: z
    .string()
    .refine((text) => MEMORY.parse(text) !== undefined, `must be ${MEMORY.allowed}`)
    .optional(),
  /** Cores, such as 1.5. */
  cpus: z.number().min(0.01).max(1024).optional(),
  /** Processes and threads. */
  pids: z.number().int().min(8).max(4_194_304).optional(),
});

/** The fields of a worker in a `create`. */
export const specFields = {
  agent_type: z.enum(AGENT_TYPES),
  /** Is written to CLAUDE.md and AGENTS.md. */
  instructions: z.string().max(TEXT_LIMIT).optional(),
  /**
   * Programs that the agent may execute, in addition to the base set that every agent needs; if absent, it may execute
   * all programs.
   */
  allowed_commands: z
    .array(
      z
        .string()
        .regex(
          /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/,
          'must be the name of a program, without a path or arguments',
        ),
    )
    .max(1000)
    .optional(),
  modules: z.array(z.enum(MODULES)).max(MODULES.length).optional(),
  /** Python packages in its image: a list, or the text of a requirements file; Docker only. */
  requirements: requirements.optional(),
  /** Debian packages in its image; Docker only. */
  packages: packages.optional(),
  /** A name for people; it must be unique among running workers. */
  name: nameBy(WORKER_NAME).optional(),
  /** First prompt, which is added to the input stream once. */
  prompt: z.string().min(1).max(TEXT_LIMIT).optional(),
  /** Whether the worker ends after its first prompt is answered. */
  exit_after_prompt: z.boolean().optional(),
  /** Program and arguments; required for CUSTOM, and only allowed there. */
  command_line: z.array(argument).min(1).max(1000).optional(),
  /** Protocol of the command, `lines` by default; CUSTOM only. */
  protocol: z.enum(PROTOCOLS).optional(),
  /** Version of the agent's CLI in the image, instead of the pinned version; not for CUSTOM. */
  agent_version: z
    .string()
    .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]{1,64})?$/, 'must be an exact version such as 2.1.329')
    .optional(),
  /** Files with the functions of a TASK worker, mounted read-only at /handlers in a container; TASK only. */
  handlers: z.array(handlerFile).min(1).max(64).optional(),
  /** Number of tasks that a TASK worker runs at the same time, each in its own process; 1 by default. TASK only. */
  concurrency: z.number().int().min(1).max(256).optional(),
  /** Whether a TASK worker runs tasks that are commands; by default it runs only functions. TASK only. */
  commands: z.boolean().optional(),
  /** Maximum duration of a task, in addition to the task's own timeout; no limit by default. */
  max_job_time_seconds: z
    .number()
    .positive()
    .max(365 * DAY_SECONDS)
    .optional(),
  /** Image that contains the wrapper, instead of one that the manager builds; Docker only. */
  image: imageReference.optional(),
  /** Environment variables of the agent. Do not put secrets here; use `secrets`. */
  env: env.optional(),
  secrets: z.array(nameBy(SECRET_NAME)).max(64).optional(),
  runtime: z.enum([...RUNTIME_NAMES, ...RESERVED_RUNTIME_NAMES, 'auto']).default('auto'),
  resources: resources.optional(),
  /** The folder that the agent works in; by default its files live as long as the worker. */
  workspace: workspaceFields.optional(),
  /** When checkpoints of the workspace are taken automatically; by default never. */
  checkpoint: checkpointFields.optional(),
  /**
   * Checkpoint whose files and conversation the worker starts with, instead of an empty workspace; it takes the place of
   * `workspace.source`.
   */
  from_checkpoint: checkpointId.optional(),
  /** Ports of the worker that clients may reach through the manager; all of them by default. `[]` closes them. */
  ports: z.union([z.literal('any'), z.array(z.number().int().min(1).max(65_535)).max(256)]).optional(),
  restart_policy: z.enum(RESTART_POLICIES).default('never'),
  /** Number of restarts after which the worker is FAILED; no limit by default. */
  max_restarts: z.number().int().min(0).max(1_000_000).optional(),
  /**
   * Time for the agent between SIGTERM and SIGKILL; 10 as in docker stop. The wrapper has up to 2 s more to report the
   * exit.
   */
  stop_grace_seconds: seconds(3600).default(10),
  /** Maximum time from the start of the body to the wrapper's `ready`. */
  start_deadline_seconds: z.number().min(1).max(DAY_SECONDS).default(120),
  /** Maximum lifetime of the worker, from its creation; no limit by default. */
  ttl_seconds: seconds(LONGEST_SECONDS).optional(),
  /** Time without input and output after which the worker ends; no limit by default. */
  idle_timeout_seconds: seconds(365 * DAY_SECONDS).optional(),
  /**
   * Time within a turn without output, tool use or CPU usage after which the agent is considered hung and the turn
   * fails as `silent`; 300 by default.
   */
  silence_timeout_seconds: seconds(7 * DAY_SECONDS).optional(),
  /** How long the record of an ended worker is kept. */
  keep_finished_seconds: seconds(LONGEST_SECONDS).default(DAY_SECONDS),
  labels: labels.optional(),
  /** URLs to which the changes of this worker are reported, in addition to the operator's WEBHOOK_URLS. */
  webhooks: webhookTargets.optional(),
  /** Type under which task workers are named and counted: the type of their pool. */
  worker_type: nameBy(WORKER_TYPE).optional(),
};

/** The spec of a worker. It is stored as accepted, with `auto` resolved, and does not change. */
export const workerSpec = z.strictObject({
  ...specFields,
  runtime: z.enum(RUNTIME_NAMES),
  /** The pool that created the worker and may stop it; never set in a `create`. */
  pool: z.string().max(63).optional(),
  /** Identifies the template of the worker; if the pool has another one, the worker is replaced. */
  pool_revision: z.string().max(64).optional(),
  /** Boots up to its agent and waits for a `create` that claims its body; created by pools only. */
  warm: z.literal(true).optional(),
});
export type WorkerSpec = z.infer<typeof workerSpec>;
