import { InvalidArgumentError } from 'commander';
import { usageError } from '../exit.ts';
import { readText } from '../values.ts';

/** The options of `create`, as commander returns them. */
export interface CreateOptions {
  type?: string;
  name?: string;
  instructions?: string;
  prompt?: string;
  exitAfterPrompt?: boolean;
  env?: Record<string, string>;
  runtime?: string;
  memory?: string;
  cpus?: number;
  pids?: number;
  persist?: string;
  workspaceSize?: string;
  git?: string;
  gitRef?: string;
  gitDepth?: number;
  ports?: 'any' | number[];
  fromCheckpoint?: string;
  checkpointOn?: string[];
  checkpointInterval?: number;
  checkpointKeep?: number;
  restart?: string;
  maxRestarts?: number;
  stopGrace?: number;
  startDeadline?: number;
  ttl?: number;
  idleTimeout?: number;
  keep?: number;
  label?: Record<string, string>;
  allowedCommand?: string[];
  module?: string[];
  requirements?: string;
  package?: string[];
  protocol?: string;
  agentVersion?: string;
  silenceTimeout?: number;
  secret?: string[];
  webhook?: { url: string; secret: string }[];
  handler?: string[];
  concurrency?: number;
  commands?: boolean;
  maxJobTime?: number;
  image?: string;
  workerId?: string;
  file?: Record<string, unknown>;
}

/** The fields of a `create` command: those of the file, overridden by those of the command line. Pure. */
export function createFields(options: CreateOptions, commandLine: string[]): Record<string, unknown> {
  const { command, ...file } = options.file ?? {};
  if (command !== undefined && command !== 'create')
    throw usageError(`The file contains the command ${JSON.stringify(command)}; only create is allowed.`);
  const { memory, cpus, pids, env, label } = options;
  const limits = present({ memory, cpus, pids });
  const fromOptions = present({
    agent_type: options.type,
    name: options.name,
    instructions: options.instructions,
    prompt: options.prompt,
    exit_after_prompt: options.exitAfterPrompt,
    command_line: commandLine.length > 0 ? commandLine : undefined,
    env: merged(file.env, env),
    runtime: options.runtime,
    resources: Object.keys(limits).length > 0 ? merged(file.resources, limits) : undefined,
    workspace: workspaceFields(options),
    ports: options.ports,
    from_checkpoint: options.fromCheckpoint,
    checkpoint: checkpointFields(options),
    restart_policy: options.restart,
    max_restarts: options.maxRestarts,
    stop_grace_seconds: options.stopGrace,
    start_deadline_seconds: options.startDeadline,
    ttl_seconds: options.ttl,
    idle_timeout_seconds: options.idleTimeout,
    keep_finished_seconds: options.keep,
    labels: merged(file.labels, label),
    allowed_commands: options.allowedCommand,
    modules: options.module,
    requirements: options.requirements,
    packages: options.package,
    protocol: options.protocol,
    agent_version: options.agentVersion,
    silence_timeout_seconds: options.silenceTimeout,
    secrets: options.secret,
    webhooks: options.webhook,
    handlers: options.handler,
    concurrency: options.concurrency,
    commands: options.commands,
    max_job_time_seconds: options.maxJobTime,
    image: options.image,
    worker_id: options.workerId,
  });
  const fields: Record<string, unknown> = { ...file, ...fromOptions };
  if (fields.agent_type === undefined && fields.command_line !== undefined) fields.agent_type = 'CUSTOM';
  if (fields.agent_type === undefined)
    throw usageError(
      'There is nothing to run. Add a command line after --, as in `wm create -- sleep 60`, or use --type.',
    );
  return fields;
}

/** The workspace; a repository of the command line replaces that of the file, and a ref alone changes it. */
function workspaceFields({ file, ...options }: CreateOptions): unknown {
  const { persist, workspaceSize: size, git: url, gitRef: ref, gitDepth: depth } = options;
  const fetched = present({ url, ref, depth });
  const given = present({ persist, size });
  const before = file?.workspace as { source?: { git?: unknown } } | undefined;
  if (Object.keys(fetched).length > 0)
    given.source = { git: url === undefined ? merged(before?.source?.git, fetched) : fetched };
  return Object.keys(given).length > 0 ? merged(before, given) : undefined;
}

/** When checkpoints are taken; an interval alone means at that interval. */
function checkpointFields({ file, ...options }: CreateOptions): unknown {
  const { checkpointOn, checkpointInterval: interval_seconds, checkpointKeep: keep } = options;
  const before = file?.checkpoint as { on?: string[] } | undefined;
  const on = checkpointOn ?? (before?.on || interval_seconds === undefined ? undefined : ['interval']);
  const given = present({ on, interval_seconds, keep });
  return Object.keys(given).length > 0 ? merged(before, given) : undefined;
}

/** A JSON object of fields. */
export function fieldsFile(path: string): Record<string, unknown> {
  const text = readText(path);
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('The file is not JSON.');
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new InvalidArgumentError(
      'The file must contain one JSON object with the fields of a create command.',
    );
  return read as Record<string, unknown>;
}

function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * Merges the file with the command line, which takes precedence. A value that is not a map is left for the schema to
 * reject.
 */
function merged(file: unknown, given: Record<string, unknown> | undefined): unknown {
  if (given === undefined) return undefined;
  return typeof file === 'object' && file !== null && !Array.isArray(file) ? { ...file, ...given } : given;
}
