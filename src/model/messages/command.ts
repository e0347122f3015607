import { z } from 'zod';
import { POOL_LIMIT, poolName, poolSpec } from '../pool/pool.ts';
import { holdsMoreThan } from '../values/bounded-json.ts';
import { takeHead } from '../values/cut.ts';
import { Fault, type FaultCode, type Issue } from '../values/fault.ts';
import { toIssues } from '../values/issues.ts';
import { REQUEST_ID_LIMIT } from '../values/limits.ts';
import { type AgentType, specFields, workerId } from '../worker/spec.ts';
import { TRACEPARENT, TRACEPARENT_ALLOWED } from './trace.ts';

/**
 * Maximum size of a command in bytes. A longer entry is rejected without being parsed, and its text is not stored on
 * the dead stream.
 */
export const ENTRY_LIMIT = 262_144;

/** Serializes a command for its entry; throws a Fault `invalid_command` if it is too long. */
export function toCommandEntry(command: object): string {
  const text = JSON.stringify(command);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= ENTRY_LIMIT) return text;
  const what = `The command was refused: it has ${bytes} bytes as JSON; the limit is ${ENTRY_LIMIT}. Send long texts as prompts, or store them in files.`;
  throw new Fault('invalid_command', what);
}

/** Fields of every command. */
export const commonFields = {
  /** Identifies the command: a repeated ID is the same command and gets the same response. */
  request_id: z
    .string()
    .min(1)
    .max(REQUEST_ID_LIMIT)
    .regex(/^[^\p{C}]*$/u, 'must be printable'),
  /**
   * Another stream for the response: `worker:responses:` followed by a name. It is outside of any cell and expires a
   * day after the last response.
   */
  reply_to: z
    .string()
    .max(256)
    .regex(/^worker:responses:[\w.:/@=+,~-]+$/, 'must match worker:responses:*')
    .optional(),
  /** Trace of the caller, as in the HTTP header of this name; the worker's trace continues it. */
  traceparent: z.string().regex(TRACEPARENT, TRACEPARENT_ALLOWED).optional(),
};

const createFields = { worker_id: workerId.optional(), ...specFields };

/** Rules between the fields of a `create`. */
function checkCreate(given: z.infer<z.ZodObject<typeof createFields>>, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  for (const { path, message } of findMisplacedFields(given)) refuse(path, message);
  if (given.exit_after_prompt && given.prompt === undefined)
    refuse('prompt', 'is required with exit_after_prompt');
}

const create = z
  .strictObject({ command: z.literal('create'), ...commonFields, ...createFields })
  .superRefine(checkCreate);

/** The fields of a `create` without those of every command, as the body of `POST /v1/workers`. */
export const createRequest = z.strictObject(createFields).superRefine(checkCreate);

const NOT_WITH_A_CLI = ['command_line', 'protocol', 'handlers', 'concurrency', 'commands'] as const;
/** Fields that have no meaning for an agent type; they are rejected instead of ignored. */
const NOT_WITH: Record<AgentType, readonly (keyof typeof specFields)[]> = {
  CLAUDE: NOT_WITH_A_CLI,
  FACTORY: NOT_WITH_A_CLI,
  CODEX: NOT_WITH_A_CLI,
  CUSTOM: ['agent_version', 'handlers', 'concurrency', 'commands'],
  TASK: [
    ...([
      'command_line',
      'protocol',
      'agent_version',
      'instructions',
      'prompt',
      'exit_after_prompt',
    ] as const),
    ...(['allowed_commands', 'silence_timeout_seconds'] as const),
  ],
};
const ONE_TYPE: Partial<Record<keyof typeof specFields, AgentType>> = {
  command_line: 'CUSTOM',
  protocol: 'CUSTOM',
  handlers: 'TASK',
  concurrency: 'TASK',
  commands: 'TASK',
};
/** Fields that are built into an image; they cannot change a named image. */
const NOT_WITH_IMAGE = ['modules', 'requirements', 'packages', 'allowed_commands', 'agent_version'] as const;

/** Issues for fields that are missing, or that do not apply to the agent type or to a named image. */
export function findMisplacedFields(given: { [F in keyof typeof specFields]?: unknown }): Issue[] {
  const type = given.agent_type as AgentType;
  const issues: Issue[] = [];
  if (type === 'CUSTOM' && given.command_line === undefined)
    issues.push({ path: 'command_line', message: 'is required with agent_type CUSTOM' });
  for (const path of NOT_WITH[type] ?? []) {
    if (given[path] === undefined) continue;
    const only = ONE_TYPE[path];
    issues.push({ path, message: only ? `is only for agent_type ${only}` : `is not for agent_type ${type}` });
  }
  for (const path of given.image === undefined ? [] : NOT_WITH_IMAGE) {
    const value = given[path];
    if (value === undefined || (Array.isArray(value) && value.length === 0 && path !== 'allowed_commands'))
      continue;
    issues.push({ path, message: 'cannot be combined with image' });
  }
  return issues;
}

const target = {
  ...commonFields,
  worker_id: workerId,
  reason: z.string().max(1024).optional(),
  /** The worker's `generation` must be this one, or the command is refused with `conflict`. */
  if_generation: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
};

/** Maximum and default number of workers in a response to `list`; each takes a few hundred bytes. */
const LIST_LIMIT = 1000;
const LIST_DEFAULT = 500;
/** Creation time and ID of the last worker of a page. */
const CURSOR = /^\d{1,15}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Every command on `worker:commands`. A new command is a line here and a file in `src/commands/`. */
export const command = z.discriminatedUnion('command', [
  create,
  z.strictObject({ command: z.literal('delete'), ...target }),
  z.strictObject({ command: z.literal('stop'), ...target }),
  z.strictObject({ command: z.literal('start'), ...target }),
  z.strictObject({ command: z.literal('restart'), ...target }),
  z.strictObject({ command: z.literal('status'), ...commonFields, worker_id: workerId }),
  z.strictObject({
    command: z.literal('list'),
    ...commonFields,
    /** Maximum number of workers in one response. */
    limit: z.number().int().min(1).max(LIST_LIMIT).default(LIST_DEFAULT),
    /** `next_cursor` of the previous response; by default, the list starts with the oldest worker. */
    cursor: z.string().regex(CURSOR, 'must be the next_cursor of a response').optional(),
  }),
  z.strictObject({ command: z.literal('apply'), ...commonFields, pool: poolSpec }),
  z.strictObject({
    command: z.literal('scale'),
    ...commonFields,
    /** Name of the pool. */
    pool: poolName,
    /** New number of workers. */
    count: z.number().int().min(0).max(POOL_LIMIT),
  }),
  z.strictObject({
    command: z.literal('delete_pool'),
    ...commonFields,
    pool: poolName,
    reason: z.string().max(1024).optional(),
  }),
]);
export type Command = z.infer<typeof command>;
export type CommandName = Command['command'];
export const COMMAND_NAMES: readonly CommandName[] = command.options.map(({ shape }) => shape.command.value);
export type CommandOf<N extends CommandName> = Extract<Command, { command: N }>;

/** A response on the response stream. For an entry that could not be parsed, only `entry_id` is set. */
export interface CommandResponse {
  request_id?: string;
  command?: string;
  entry_id?: string;
  success: boolean;
  error?: { code: FaultCode; message: string; issues?: Issue[] };
  /** Set only on a repeated response to a create, start, restart or stop: the worker has been deleted since. */
  worker_deleted?: true;
  /** Set only on a repeated response: the command has other fields than the first one with its `request_id`. */
  differs?: true;
  [field: string]: unknown;
}

/** Maximum nesting of a command; unbounded nesting would overflow the stack. */
const DEEPEST = 8;
/** Maximum number of values in a command; its longest lists have up to 1000. Validation takes microseconds per value. */
const MOST_VALUES = 5000;
/** Maximum length of a path in an error, so that the response does not grow with the input. */
const PATH_LENGTH = 200;

/** Parses a command; throws a Fault `invalid_command` that names every invalid field. */
export function parseCommand(input: unknown): Command {
  if (holdsMoreThan(MOST_VALUES, input))
    throw new Fault('invalid_command', `The command was refused: it has more than ${MOST_VALUES} values.`);
  const poisoned = findPoison(input);
  const result = command.safeParse(input);
  if (result.success && poisoned.length === 0) return result.data;
  const all = [...(result.success ? [] : toIssues(result.error)), ...poisoned];
  const issues = all.map(({ path, message }) => ({
    path: takeHead(path, PATH_LENGTH),
    message,
  }));
  const list = issues.slice(0, 5).map(({ path, message }) => (path ? `${path} ${message}` : message));
  const more = all.length > list.length ? ` (and ${all.length - list.length} more)` : '';
  throw new Fault('invalid_command', `The command was refused: ${list.join('; ')}${more}.`, { issues });
}

/**
 * Finds what would be changed silently, and must be rejected instead: the key `__proto__`, which zod drops, and half of a
 * surrogate pair, which becomes another character in UTF-8.
 */
export function findPoison(value: unknown, path = '', depth = 0): Issue[] {
  if (typeof value === 'string' && !value.isWellFormed())
    return [{ path, message: 'must not contain half of a surrogate pair' }];
  if (typeof value !== 'object' || value === null) return [];
  if (depth > DEEPEST) return [{ path, message: 'is nested too deeply' }];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = path ? `${path}.${key}` : key;
    return key === '__proto__'
      ? [{ path: here, message: 'is not an allowed name' }]
      : findPoison(inner, here, depth + 1);
  });
}
