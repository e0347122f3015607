/**
 * The command line: one small file for each verb or group of related verbs.
 *
 * A verb that changes a worker is an orchestrator like any other: it writes a command to the stream and waits for the
 * response. A verb that shows something reads the store. Invariants: nothing here writes a record or acts on a body;
 * results go to stdout and everything else to stderr; control characters from workers never reach a terminal. Exit
 * codes: 0 success, 1 failure, 2 wrong usage, 124 timeout. Must not read the environment: main.ts passes it.
 */
import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { Runtimes } from '../runtimes/registry.ts';
import { applyCommand, diffCommand } from './apply.ts';
import { attachCommand } from './attach.ts';
import { configCommand, versionCommand } from './config.ts';
import type { Context } from './context.ts';
import { contextCommand } from './context-verb.ts';
import { createCommand } from './create.ts';
import type { CliDeps } from './deps.ts';
import { describeCommand } from './describe.ts';
import { desireCommands } from './desire.ts';
import { dismantleCommand } from './dismantle.ts';
import { doctorCommand } from './doctor.ts';
import { eventsCommand } from './events.ts';
import { EXIT, formatErrorLines, toExitCode } from './exit.ts';
import { explainCommand } from './explain.ts';
import { imagesCommand } from './images.ts';
import { logsCommand } from './logs.ts';
import { CliOutput } from './output.ts';
import { poolsCommand, scaleCommand } from './pools.ts';
import { psCommand } from './ps.ts';
import { sendCommand } from './send.ts';
import { serveCommand } from './serve.ts';
import { Session } from './session.ts';
import { statusCommand } from './status.ts';
import { tasksCommand } from './tasks.ts';
import { topCommand } from './top.ts';
import { waitCommand } from './wait.ts';

export type { CliDeps } from './deps.ts';

/** Runs one command line and returns its exit code; everything that was opened is closed by then. */
export async function runCli(argv: string[], deps: CliDeps): Promise<number> {
  // A reader that closes the pipe early, such as head, is not an error.
  for (const stream of [deps.stdout, deps.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.done);
      throw error;
    });
  const closing: (() => unknown)[] = [];
  const sessions: Session[] = [];
  let code: number = EXIT.done;
  const context = createContext(deps, sessions, closing, (given) => {
    code = given;
  });
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    const error = sessions.reduce((found, session) => session.explain(found), thrown);
    for (const line of formatErrorLines(error, isDebug(deps))) context.out.note(line);
    return toExitCode(error);
  } finally {
    await Promise.allSettled(closing.map((close) => close()));
  }
}

function createContext(
  deps: CliDeps,
  sessions: Session[],
  closing: (() => unknown)[],
  exitWith: (code: number) => void,
): Context {
  return {
    deps,
    out: new CliOutput(deps.stdout, deps.stderr),
    session() {
      const session = new Session(deps, deps.settings());
      sessions.push(session);
      closing.push(() => session.close());
      return session.reach();
    },
    runtimes(seen = (runtime) => runtime) {
      const all = deps.runtimes(deps.settings()).runtimes.map(seen);
      const runtimes = new Runtimes(all, Date.now, () => {});
      closing.push(() => runtimes.close());
      return runtimes;
    },
    now: Date.now,
    newId: randomUUID,
    exitWith,
  };
}

/** All verbs, in the order of the help text. */
export function createProgram(context: Context): Command {
  const { version } = context.deps;
  const program = new Command('wm')
    .description('Run and manage ephemeral workers for AI coding agents and tasks.')
    .version(version, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('Run with --help for usage.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out.text(text),
      writeErr: (text) => context.out.text(text, 'stderr'),
    })
    .addHelpText(
      'after',
      '\nExample:\n  $ wm create --wait -- sh -c "echo hello; sleep 60"\n\nRun `wm VERB --help` for details of a verb.',
    );
  const groups: [string, Command[]][] = [
    [
      'Workers:',
      [
        createCommand(context),
        ...desireCommands(context),
        sendCommand(context),
        attachCommand(context),
        waitCommand(context),
      ],
    ],
    [
      'Looking:',
      [
        psCommand(context),
        statusCommand(context),
        describeCommand(context),
        explainCommand(context),
        topCommand(context),
        logsCommand(context),
        eventsCommand(context),
      ],
    ],
    ['Pools:', [applyCommand(context), diffCommand(context), poolsCommand(context), scaleCommand(context)]],
    ['Tasks:', [tasksCommand(context)]],
    ['Images:', [imagesCommand(context)]],
    [
      'The manager:',
      [
        serveCommand(context),
        dismantleCommand(context),
        contextCommand(context),
        doctorCommand(context),
        configCommand(context),
        versionCommand(context),
      ],
    ],
  ];
  for (const [heading, commands] of groups)
    for (const command of commands) {
      // Also for verbs of a group: without the override, commander would exit the process.
      for (const verb of command.commands) verb.copyInheritedSettings(program);
      program.addCommand(command.copyInheritedSettings(program).helpGroup(heading));
    }
  return program;
}

function isDebug(deps: CliDeps): boolean {
  try {
    const { logLevel } = deps.settings();
    return logLevel === 'debug' || logLevel === 'trace';
  } catch {
    return false;
  }
}
