import { type Command, Option } from 'commander';
import {
  AGENT_TYPES,
  CHECKPOINT_EVENTS,
  MODULES,
  PERSISTENCE,
  PROTOCOLS,
  RESTART_POLICIES,
  RUNTIME_NAMES,
} from '../../model/index.ts';
import {
  addItem,
  addPair,
  addWebhook,
  parseCount,
  parseNumber,
  parsePorts,
  parseSeconds,
  readText,
  readTextOrFile,
} from '../values.ts';
import { fieldsFile } from './create-fields.ts';

/** Adds the options that describe a worker, and its command line. */
export function addCreateOptions(command: Command): Command {
  const types = new Option('--type <type>', 'agent type (default: CUSTOM if a command line follows)');
  return command
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
    .addOption(
      new Option('--persist <owner>', 'whose end deletes the files of its workspace').choices(PERSISTENCE),
    )
    .option('--workspace-size <size>', 'size limit of its workspace, such as 2g')
    .option('--git <url>', 'repository to fetch into its empty workspace')
    .option('--git-ref <ref>', 'branch, tag or commit of that repository')
    .option('--git-depth <n>', 'number of commits to fetch', parseCount)
    .option(
      '--ports <list>',
      'ports that clients may reach, such as 3000,8080; any (the default) or none',
      parsePorts,
    )
    .option('--from-checkpoint <id>', 'checkpoint whose files and conversation it starts with')
    .addOption(
      new Option(
        '--checkpoint-on <event>',
        `when its workspace is saved, one of ${CHECKPOINT_EVENTS.join(', ')}; repeatable`,
      ).argParser(addItem),
    )
    .option('--checkpoint-interval <time>', 'time between two checkpoints', parseSeconds)
    .option('--checkpoint-keep <n>', 'automatic checkpoints to keep', parseCount)
    .addOption(new Option('--restart <policy>', 'restart policy').choices(RESTART_POLICIES))
    .option('--max-restarts <n>', 'restarts before the manager gives up', parseCount)
    .option('--stop-grace <time>', 'time between SIGTERM and SIGKILL', parseSeconds)
    .option('--start-deadline <time>', 'time in which it must become ready', parseSeconds)
    .option('--ttl <time>', 'maximum lifetime', parseSeconds)
    .option('--idle-timeout <time>', 'stop it after this time without input or output', parseSeconds)
    .option('-l, --label <name=value>', 'label; repeatable', addPair)
    .option(
      '--webhook <url,secret>',
      'URL that gets its changes, and the name of the secret that signs them; repeatable',
      addWebhook,
    )
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
    .option('--request-id <id>', 'idempotency key (default: generated)');
}
