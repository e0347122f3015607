import { Command, Option } from 'commander';
import { AGENT_TYPES, Fault, MODULES, PROTOCOLS, RESTART_POLICIES, USABLE_RUNTIMES } from '../model/index.ts';
import { ANSWER_SECONDS, ask, refusalOf } from './ask.ts';
import type { Context } from './context.ts';
import { type CreateOptions, createFields, fieldsFile } from './create-fields.ts';
import { outputOption } from './output.ts';
import { count, item, number, pair, readText, seconds, textOrFile } from './values.ts';
import { waitFor } from './wait-for.ts';

/** How long `--wait` waits, in seconds, where nothing else is said: a start as long as it may take, and a build before it. */
const WAIT_SECONDS = 300;

interface Options extends CreateOptions {
  requestId?: string;
  timeout?: number;
  wait?: boolean;
  output: string;
}

export function createCommand(context: Context): Command {
  const types = new Option(
    '--type <type>',
    'what thinks in it (default: CUSTOM where a command line follows)',
  );
  return new Command('create')
    .summary('declare a worker')
    .description('Declare a worker, and print its id. A manager brings it to life and keeps it true.')
    .usage('[options] [--] [COMMAND ARGS...]')
    .argument('[command...]', 'program and arguments of a CUSTOM worker')
    .passThroughOptions()
    .addOption(types.choices(AGENT_TYPES))
    .option('--name <name>', 'a name for people')
    .option('--instructions <text|@file>', 'becomes CLAUDE.md and AGENTS.md', textOrFile)
    .option('--prompt <text|@file>', 'the first prompt', textOrFile)
    .option('--exit-after-prompt', 'end when the first prompt is answered')
    .option('-e, --env <name=value>', 'a variable of the agent; repeatable, and never for secrets', pair)
    .addOption(new Option('--runtime <runtime>', 'where it lives').choices([...USABLE_RUNTIMES, 'auto']))
    .option('-m, --memory <size>', 'memory limit, such as 512m')
    .option('--cpus <n>', 'cores, such as 1.5', number)
    .option('--pids <n>', 'processes and threads', count)
    .addOption(new Option('--restart <policy>', 'when it ends').choices(RESTART_POLICIES))
    .option('--max-restarts <n>', 'restarts until it is FAILED', count)
    .option('--stop-grace <time>', 'between SIGTERM and SIGKILL', seconds)
    .option('--start-deadline <time>', 'until it has to be ready', seconds)
    .option('--ttl <time>', 'its whole life', seconds)
    .option('--idle-timeout <time>', 'ends it after so long without input and output', seconds)
    .option('--keep <time>', 'how long its record is kept after its end', seconds)
    .option('-l, --label <name=value>', 'a label; repeatable', pair)
    .option('--allowed-command <command>', 'a command that the agent may run; repeatable', item)
    .addOption(
      new Option('--module <module>', `a tool in its image, of ${MODULES.join(', ')}; repeatable`).argParser(
        item,
      ),
    )
    .option(
      '--requirements <file>',
      'a requirements file of Python packages in its image (- for standard input)',
      readText,
    )
    .option('--package <name>', 'a Debian package in its image; repeatable', item)
    .addOption(new Option('--protocol <protocol>', 'how a CUSTOM command talks').choices(PROTOCOLS))
    .option('--agent-version <version>', "version of the agent's CLI instead of the pinned one")
    .option('--silence-timeout <time>', 'a turn without any sign of life for so long fails', seconds)
    .option('--secret <name>', 'a secret that it gets; repeatable', item)
    .option(
      '--handler <file>',
      'a handler file of a TASK worker, below HANDLERS_DIR or absolute; repeatable',
      item,
    )
    .option('--commands', 'let a TASK worker run tasks that are commands')
    .option('--concurrency <n>', 'tasks that a TASK worker runs at once', count)
    .option('--max-job-time <time>', 'the longest that one task may run', seconds)
    .option(
      '--image <image>',
      'run it from this image, which is built FROM one of `wm images ls`; Docker only',
    )
    .option('--worker-id <uuid>', 'its id (default: a new one)')
    .option(
      '-f, --file <file.json>',
      'the fields as a JSON object (- for standard input); options win',
      fieldsFile,
    )
    .option('--request-id <id>', 'the same twice is one command (default: a new one)')
    .option('--wait', 'wait until it is RUNNING, or has ended')
    .option(
      '--timeout <time>',
      `how long to wait (default: ${ANSWER_SECONDS}s, with --wait ${WAIT_SECONDS}s)`,
      seconds,
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
  const limit = options.timeout ?? (options.wait ? WAIT_SECONDS : ANSWER_SECONDS);
  const began = performance.now();
  const answer = await ask(context, session, { ...fields, command: 'create', request_id }, limit);
  const json = options.output === 'json';
  const id = String(answer.worker_id ?? '');
  if (json) await out.json(answer);
  else if (answer.success) await out.line(id);
  const why = String(answer.runtime_reason ?? '');
  if (!json && isUnexpected(why)) out.note(`It runs as a process of this machine. ${why}`);
  if (!json && Array.isArray(answer.warnings))
    for (const warning of answer.warnings) out.note(`Warning: ${warning}`);
  if (!answer.success) throw refusalOf(answer);
  if (answer.worker_deleted === true) throw goneSince(id, request_id);
  if (!options.wait) return;
  const left = Math.max(0.1, limit - (performance.now() - began) / 1000);
  const { reached, seen } = await waitFor(session, id, 'RUNNING', { seconds: left });
  if (reached || (seen.status?.status === 'STOPPED' && seen.status.reason === 'Completed')) return;
  const { status = 'gone', reason = '', message = '' } = seen.status ?? {};
  throw new Fault(
    'conflict',
    `The worker ${id} is ${status}: ${[reason, message].filter(Boolean).join(': ')}`,
  );
}

/** The request was answered long ago: nothing was created by asking again. */
const goneSince = (id: string, request: string) =>
  new Fault(
    'conflict',
    `The request ${request} created worker ${id}, which was deleted since; nothing was created now. Use another --request-id.`,
  );

/**
 * Whether a person should know why the worker is not in Docker. That a machine has no Docker at all is no news at each
 * create: the manager says it at its start, and `doctor`.
 */
export const isUnexpected = (reason: string): boolean =>
  reason.startsWith('Not in Docker') && !reason.includes('no such socket');
