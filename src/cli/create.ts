import { Command, Option } from 'commander';
import { AGENT_TYPES, Fault, MODULES, PROTOCOLS, RESTART_POLICIES, RUNTIME_NAMES } from '../model/index.ts';
import type { Context } from './context.ts';
import { type CreateOptions, createFields, fieldsFile } from './create-fields.ts';
import { outputOption } from './output.ts';
import { RESPONSE_SECONDS, requestManager, toFault } from './request-manager.ts';
import {
  addItem,
  addPair,
  parseCount,
  parseNumber,
  parseSeconds,
  readText,
  readTextOrFile,
} from './values.ts';
import { waitFor } from './wait-for.ts';

/** Default timeout of `--wait` in seconds: the maximum duration of a start, and of a build before it. */
const WAIT_SECONDS = 300;

interface Options extends CreateOptions {
  requestId?: string;
  timeout?: number;
  wait?: boolean;
  output: string;
}

export function createCommand(context: Context): Command {
  const types = new Option('--type <type>', 'agent type (default: CUSTOM if a command line follows)');
  return new Command('create')
    .summary('create a worker')
    .description('Create a worker and print its ID.')
    .usage('[options] [--] [COMMAND ARGS...]')
    .argument('[command...]', 'program and arguments of a CUSTOM worker')
    .passThroughOptions()
    .addOption(types.choices(AGENT_TYPES))
    .option('--name <name>', 'name, unique among running workers')
    .option('--instructions <text|@file>', 'content of CLAUDE.md and AGENTS.md', readTextOrFile)
    .option('--prompt <text|@file>', 'first prompt', readTextOrFile)
    .option('--exit-after-prompt', 'stop after the first prompt is answered')
    .option(
      '-e, --env <name=value>',
      'environment variable of the agent, not for secrets; repeatable',
      addPair,
    )
    .addOption(new Option('--runtime <runtime>', 'runtime that runs it').choices([...RUNTIME_NAMES, 'auto']))
    .option('-m, --memory <size>', 'memory limit, such as 512m')
    .option('--cpus <n>', 'CPU limit in cores, such as 1.5', parseNumber)
    .option('--pids <n>', 'limit of processes and threads', parseCount)
    .addOption(new Option('--restart <policy>', 'restart policy').choices(RESTART_POLICIES))
    .option('--max-restarts <n>', 'restarts before the manager gives up', parseCount)
    .option('--stop-grace <time>', 'time between SIGTERM and SIGKILL', parseSeconds)
    .option('--start-deadline <time>', 'time in which it must become ready', parseSeconds)
    .option('--ttl <time>', 'maximum lifetime', parseSeconds)
    .option('--idle-timeout <time>', 'stop it after this time without input or output', parseSeconds)
    .option('--keep <time>', 'how long to keep its record after it ends', parseSeconds)
    .option('-l, --label <name=value>', 'label; repeatable', addPair)
    .option('--allowed-command <command>', 'command that the agent may run; repeatable', addItem)
    .addOption(
      new Option(
        '--module <module>',
        `tool in its image, one of ${MODULES.join(', ')}; repeatable`,
      ).argParser(addItem),
    )
    .option(
      '--requirements <file>',
      'requirements file of Python packages for its image (- for standard input)',
      readText,
    )
    .option('--package <name>', 'Debian package for its image; repeatable', addItem)
    .addOption(new Option('--protocol <protocol>', 'protocol of a CUSTOM command').choices(PROTOCOLS))
    .option('--agent-version <version>', "version of the agent's CLI (default: the pinned one)")
    .option('--silence-timeout <time>', 'fail a turn after this time without activity', parseSeconds)
    .option('--secret <name>', 'secret to pass to it; repeatable', addItem)
    .option(
      '--handler <file>',
      'handler file of a TASK worker, absolute or relative to HANDLERS_DIR; repeatable',
      addItem,
    )
    .option('--commands', 'allow a TASK worker to run commands as tasks')
    .option('--concurrency <n>', 'tasks that a TASK worker runs concurrently', parseCount)
    .option('--max-job-time <time>', 'maximum run time of a task', parseSeconds)
    .option('--image <image>', 'image to run, built FROM one of `wm images ls`; Docker only')
    .option('--worker-id <uuid>', 'worker ID (default: generated)')
    .option(
      '-f, --file <file.json>',
      'fields as a JSON object (- for standard input); options override it',
      fieldsFile,
    )
    .option('--request-id <id>', 'idempotency key (default: generated)')
    .option('--wait', 'wait until it is RUNNING or has ended')
    .option(
      '--timeout <time>',
      `how long to wait (default: ${RESPONSE_SECONDS}s, with --wait ${WAIT_SECONDS}s)`,
      parseSeconds,
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ wm create --name hello --memory 256m --wait -- sh -c "echo hello; sleep 60"',
    )
    .action((commandLine: string[], options: Options) => create(context, commandLine, options));
}

async function create(context: Context, commandLine: string[], options: Options): Promise<void> {
  const { out, newId } = context;
  const request_id = options.requestId ?? newId();
  const fields = createFields(options, commandLine);
  const session = await context.session();
  const limit = options.timeout ?? (options.wait ? WAIT_SECONDS : RESPONSE_SECONDS);
  const began = performance.now();
  const answer = await requestManager(context, session, { ...fields, command: 'create', request_id }, limit);
  const json = options.output === 'json';
  const id = String(answer.worker_id ?? '');
  if (json) await out.json(answer);
  else if (answer.success) await out.line(id);
  const why = String(answer.runtime_reason ?? '');
  if (!json && isUnexpected(why)) out.note(`It runs as a process on this machine. ${why}`);
  if (!json && Array.isArray(answer.warnings))
    for (const warning of answer.warnings) out.note(`Warning: ${warning}`);
  if (!answer.success) throw toFault(answer);
  if (answer.worker_deleted === true) throw goneSince(id, request_id);
  if (!options.wait) return;
  const left = Math.max(0.1, limit - (performance.now() - began) / 1000);
  const { reached, observation } = await waitFor(session, id, 'RUNNING', { seconds: left });
  if (reached || (observation.status?.status === 'STOPPED' && observation.status.reason === 'Completed'))
    return;
  const { status = 'gone', reason = '', message = '' } = observation.status ?? {};
  throw new Fault(
    'conflict',
    `The worker ${id} is ${status}: ${[reason, message].filter(Boolean).join(': ')}`,
  );
}

/** The request was answered long ago, so repeating it created nothing. */
const goneSince = (id: string, request: string) =>
  new Fault(
    'conflict',
    `The request ${request} created worker ${id}, which has been deleted since; no worker was created now. Use another --request-id.`,
  );

/**
 * Whether to print why the worker is not in Docker. If the machine has no Docker at all, the manager reports that when
 * it starts, and so does `doctor`; it is not repeated for each create.
 */
export const isUnexpected = (reason: string): boolean =>
  reason.startsWith('Not in Docker') && !reason.includes('no such socket');
