import { z } from 'zod';
import { holdsMoreThan } from './bounded-json.ts';
import { headOf } from './cut.ts';
import { Fault, type FaultCode, type Issue } from './fault.ts';
import { toIssues } from './issues.ts';
import { POOL_LIMIT, poolName, poolSpec } from './pool.ts';
import { type AgentType, specFields, workerId } from './spec.ts';

/** Bytes of a command that are read at all; anything longer is refused unread, and without its text on the dead stream. */
export const ENTRY_LIMIT = 262_144;

/** A command as the text of its entry; throws a Fault `invalid_command` if it is too long to be read. */
export function toEntry(command: object): string {
  const text = JSON.stringify(command);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= ENTRY_LIMIT) return text;
  const what = `The command was refused: it has ${bytes} bytes as JSON, and may have ${ENTRY_LIMIT}. Send long texts as prompts, or put them into files.`;
  throw new Fault('invalid_command', what);
}

/** What every command may carry. */
export const commonFields = {
  /** Names the command: the same one twice is one command and gets the same answer. */
  request_id: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^\p{C}]*$/u, 'must be printable'),
  /** Another stream for the answer, `worker:responses:` and a name: outside of any cell, and gone a day after the last answer. */
  reply_to: z
    .string()
    .max(256)
    .regex(/^worker:responses:[\w.:/@=+,~-]+$/, 'must match worker:responses:*')
    .optional(),
};

const create = z
  .strictObject({
    command: z.literal('create'),
    ...commonFields,
    worker_id: workerId.optional(),
    ...specFields,
  })
  .superRefine((given, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    for (const { path, message } of misplaced(given)) refuse(path, message);
    if (given.exit_after_prompt && given.prompt === undefined)
      refuse('prompt', 'is required with exit_after_prompt');
  });

const NOT_WITH_A_CLI = ['command_line', 'protocol', 'handlers', 'concurrency', 'commands'] as const;
/** Fields that say nothing with an agent type: what would be ignored is refused. */
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
/** They are part of an image that is built; one that is named has what it has. */
const NOT_WITH_IMAGE = ['modules', 'requirements', 'packages', 'allowed_commands', 'agent_version'] as const;

/** Fields that are missing, or that the agent type or a named image leaves without a meaning. */
export function misplaced(given: { [F in keyof typeof specFields]?: unknown }): Issue[] {
  const type = given.agent_type as AgentType;
  const issues: Issue[] = [];
  if (type === 'CUSTOM' && given.command_line === undefined)
    issues.push({ path: 'command_line', message: 'is required with agent_type CUSTOM' });
  for (const path of NOT_WITH[type] ?? []) {
    if (given[path] === undefined) continue;
    const only = ONE_TYPE[path];
    issues.push({ path, message: only ? `is for agent_type ${only} only` : `is not for agent_type ${type}` });
  }
  for (const path of given.image === undefined ? [] : NOT_WITH_IMAGE) {
    const value = given[path];
    if (value === undefined || (Array.isArray(value) && value.length === 0 && path !== 'allowed_commands'))
      continue;
    issues.push({ path, message: 'cannot be added to an image that is named' });
  }
  return issues;
}

const target = { ...commonFields, worker_id: workerId, reason: z.string().max(1024).optional() };

/** Workers that one answer to `list` may hold, and does if nothing else is asked: a few hundred bytes each. */
const LIST_LIMIT = 1000;
const LIST_DEFAULT = 500;
/** Instant of creation and id of the last worker of a page. */
const CURSOR = /^\d{1,15}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Everything that can stand on `worker:commands`. A new command is a line here and a file in `src/commands/`. */
export const command = z.discriminatedUnion('command', [
  create,
  z.strictObject({ command: z.literal('delete'), ...target }),
  z.strictObject({ command: z.literal('stop'), ...target }),
  z.strictObject({ command: z.literal('start'), ...target }),
  z.strictObject({ command: z.literal('status'), ...commonFields, worker_id: workerId }),
  z.strictObject({
    command: z.literal('list'),
    ...commonFields,
    /** Workers in one answer, at most. */
    limit: z.number().int().min(1).max(LIST_LIMIT).default(LIST_DEFAULT),
    /** `next_cursor` of the answer before; without it, the list begins with the oldest worker. */
    cursor: z.string().regex(CURSOR, 'must be the next_cursor of an answer').optional(),
  }),
  z.strictObject({ command: z.literal('apply'), ...commonFields, pool: poolSpec }),
  z.strictObject({
    command: z.literal('scale'),
    ...commonFields,
    /** A pool's name. */
    pool: poolName,
    /** How many workers it should have from now on. */
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

/** An answer on the response stream. Of a refused entry that could not be read, `entry_id` is all that is known. */
export interface Answer {
  request_id?: string;
  command?: string;
  entry_id?: string;
  success: boolean;
  error?: { code: FaultCode; message: string; issues?: Issue[] };
  /** Only with an answer that is repeated, to a create, a start or a stop: the worker was deleted since. */
  worker_deleted?: true;
  [field: string]: unknown;
}

/** No command has fields within fields within fields; what goes on for ever would end the reader. */
const DEEPEST = 8;
/** Values of a command in all; its longest lists may have 1000. What is checked by schema costs microseconds a value. */
const MOST_VALUES = 5000;
/** Characters of a path that are told: an answer must not grow with what was wrong. */
const PATH_TOLD = 200;

/** Reads a command; throws a Fault `invalid_command` that names every field at fault. */
export function parseCommand(input: unknown): Command {
  if (holdsMoreThan(MOST_VALUES, input))
    throw new Fault('invalid_command', `The command was refused: it holds more than ${MOST_VALUES} values.`);
  const poisoned = findPoison(input, '');
  const result = command.safeParse(input);
  if (result.success && poisoned.length === 0) return result.data;
  const all = [...(result.success ? [] : toIssues(result.error)), ...poisoned];
  const issues = all.map(({ path, message }) => ({
    path: headOf(path, PATH_TOLD),
    message,
  }));
  const list = issues.slice(0, 5).map(({ path, message }) => (path ? `${path} ${message}` : message));
  const more = all.length > list.length ? ` (and ${all.length - list.length} more)` : '';
  throw new Fault('invalid_command', `The command was refused: ${list.join('; ')}${more}.`, { issues });
}

/** `__proto__` as a key: zod drops it silently, and a silent loss is no refusal. */
function findPoison(value: unknown, path: string, depth = 0): Issue[] {
  if (typeof value !== 'object' || value === null) return [];
  if (depth > DEEPEST) return [{ path, message: 'is nested too deeply' }];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = path ? `${path}.${key}` : key;
    return key === '__proto__'
      ? [{ path: here, message: 'is not allowed as a name' }]
      : findPoison(inner, here, depth + 1);
  });
}
