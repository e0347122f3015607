/**
 * What a new worker gets: what was asked for, if the operator's limits allow it and it is not more than its creator has.
 * What is not asked for is inherited. Pure.
 */
import { WORKER_TOKEN_SECRET } from '../http/access/worker-token.ts';
import { type CommandOf, Fault, type Issue, sizeFrom, type WorkerSpec } from '../model/index.ts';
import { type McpCaller, type McpWorker, toChildLabels } from './caller.ts';
import type { McpLimits } from './limits.ts';

/** Fields of a `create` that an agent may choose. All others are the defaults, or those of its own worker. */
export type WantedWorker = Partial<
  Pick<
    WorkerSpec,
    | 'name'
    | 'prompt'
    | 'instructions'
    | 'exit_after_prompt'
    | 'command_line'
    | 'protocol'
    | 'allowed_commands'
    | 'modules'
    | 'image'
    | 'secrets'
    | 'resources'
    | 'ttl_seconds'
  >
> &
  Pick<WorkerSpec, 'agent_type'>;

type Fields = Omit<CommandOf<'create'>, 'command' | 'request_id'>;
type Refuse = (path: string, message: string) => void;

const MEMORY = sizeFrom();

/** The fields of the `create`; throws a Fault `unsupported` that names each field which is wider than allowed. */
export function limitWorker(
  caller: McpCaller,
  wanted: WantedWorker,
  limits: McpLimits,
  now: number,
): Partial<Fields> {
  const issues: Issue[] = [];
  const refuse: Refuse = (path, message) => void issues.push({ path, message });
  const fields: Partial<Fields> = {
    ...wanted,
    ttl_seconds: limitSeconds(caller, wanted, limits, now, refuse),
    labels: toChildLabels(caller),
  };
  if (wanted.modules?.includes('DOCKER'))
    refuse('modules', 'must not contain DOCKER, which weakens the isolation');
  if (caller.kind === 'operator') {
    for (const name of exceeding(wanted.secrets, [...limits.secrets, WORKER_TOKEN_SECRET]))
      refuse('secrets', `must not contain ${name}: the operator's MCP_SECRETS does not list it`);
    if (wanted.image !== undefined && !limits.images.includes(wanted.image))
      refuse('image', `must be one of the operator's MCP_IMAGES, ${list(limits.images)}`);
    // With its token, the worker's agent uses the tools.
    if (limits.url !== undefined && wanted.secrets?.includes(WORKER_TOKEN_SECRET))
      fields.env = { WM_URL: limits.url };
  } else {
    const depth = caller.ancestors.length + 1;
    if (depth > limits.maxDepth)
      throw new Fault(
        'unsupported',
        `A worker at depth ${caller.ancestors.length} may not create workers: the operator's MCP_MAX_DEPTH is ${limits.maxDepth}.`,
      );
    Object.assign(fields, inherit(caller.spec, wanted, limits, refuse));
  }
  if (issues.length === 0) return fields;
  const text = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new Fault('unsupported', `The worker was not created: ${text}.`, { issues });
}

/** How long it may live: no longer than the operator allows, and no longer than its creator. */
function limitSeconds(
  caller: McpCaller,
  { ttl_seconds }: WantedWorker,
  { maxSeconds }: McpLimits,
  now: number,
  refuse: Refuse,
): number {
  const most = caller.kind === 'worker' ? Math.min(maxSeconds, secondsLeft(caller, now)) : maxSeconds;
  if (ttl_seconds !== undefined && ttl_seconds > most)
    refuse('ttl_seconds', `must be at most ${Math.floor(most)}`);
  return ttl_seconds ?? Math.max(1, Math.floor(most));
}

function secondsLeft({ spec, created_at }: McpWorker, now: number): number {
  if (spec.ttl_seconds === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(0, spec.ttl_seconds - (now - Date.parse(created_at)) / 1000);
}

/** The fields in which a child must not have more than its parent. */
function inherit(
  parent: WorkerSpec,
  wanted: WantedWorker,
  limits: McpLimits,
  refuse: Refuse,
): Partial<Fields> {
  const { allowed_commands: commands, modules = [], secrets = [], env, runtime, image, resources } = parent;
  const fields: Partial<Fields> = { runtime };
  // It holds the addresses to which the credentials are sent.
  if (env) fields.env = env;
  if (wanted.agent_type === 'TASK') refuse('agent_type', 'must not be TASK');
  for (const name of exceeding(wanted.secrets, secrets))
    refuse('secrets', `must not contain ${name}, which your own worker does not have`);
  for (const name of exceeding(wanted.modules, modules))
    refuse('modules', `must not contain ${name}, which your own worker does not have`);
  if (commands) {
    fields.allowed_commands = wanted.allowed_commands ?? commands;
    for (const name of exceeding(wanted.allowed_commands, commands))
      refuse('allowed_commands', `must not contain ${name}, which your own worker may not execute`);
    // A worker may always execute its own program.
    const program = wanted.command_line?.[0];
    if (program !== undefined && !commands.includes(program))
      refuse('command_line', `must begin with one of your own allowed_commands, ${list(commands)}`);
  }
  const named = wanted.image ?? image;
  if (named !== undefined) fields.image = named;
  if (wanted.image !== undefined && wanted.image !== image && !limits.images.includes(wanted.image))
    refuse('image', `must be your own worker's, or one of the operator's MCP_IMAGES, ${list(limits.images)}`);
  fields.resources = { ...resources, ...limitResources(resources, wanted.resources, refuse) };
  return fields;
}

function limitResources(
  own: WorkerSpec['resources'] = {},
  wanted: WorkerSpec['resources'] = {},
  refuse: Refuse,
): WorkerSpec['resources'] {
  const { memory, cpus, pids } = wanted;
  const check = (path: string, value: number | undefined, most: number | undefined) => {
    if (value === undefined || (most !== undefined && value <= most)) return;
    refuse(
      `resources.${path}`,
      most === undefined ? "must be absent, as your own worker's" : "must not exceed your own worker's",
    );
  };
  const bytes = (text: string | undefined) => (text === undefined ? undefined : MEMORY.parse(text));
  check('memory', bytes(memory), bytes(own.memory));
  check('cpus', cpus, own.cpus);
  check('pids', pids, own.pids);
  return wanted;
}

const exceeding = (wanted: readonly string[] = [], own: readonly string[]) =>
  wanted.filter((name) => !own.includes(name));

const list = (names: readonly string[]) => (names.length === 0 ? 'which lists none' : names.join(', '));
