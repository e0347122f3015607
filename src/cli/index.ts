/**
 * The command line: one small file for each verb or group of related verbs.
 *
 * A verb that changes a worker is an orchestrator like any other: it writes a command to the stream and waits for the
 * response. A verb that shows something reads the store. Invariants: nothing here writes a record or acts on a body;
 * results go to stdout and everything else to stderr; control characters from workers never reach a terminal. Exit
 * codes: 0 success, 1 failure, 2 wrong usage, 124 timeout. Must not read the environment: main.ts passes it. Must not
 * import what only some verbs need: `wm ps` would load it too.
 */
import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import type { Context } from './context.ts';
import type { CliDeps } from './deps.ts';
import { EXIT, formatErrorLines, toExitCode } from './exit.ts';
import { otherNameNote } from './other-names.ts';
import { CliOutput } from './print/output.ts';
import type { Session } from './session.ts';
import { loadVerbs } from './verbs.ts';

export type { CliDeps } from './deps.ts';

/** Runs one command line and returns its exit code; everything that was opened is closed by then. */
export async function runCli(argv: string[], deps: CliDeps): Promise<number> {
  const out = new CliOutput(deps.stdout, deps.stderr);
  // A reader that closes the pipe early, such as head, is not an error; a full disk is. A manager continues without its log.
  const isManager = argv[0] === 'serve';
  for (const stream of [deps.stdout, deps.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (isManager) return;
      if (error.code === 'EPIPE') process.exit(EXIT.done);
      if (stream === deps.stdout) out.note(`error: The output cannot be written: ${error.message}.`);
      process.exit(EXIT.failed);
    });
  const closing: (() => unknown)[] = [];
  const sessions: Session[] = [];
  let code: number = EXIT.done;
  const context = createContext(deps, out, sessions, closing, (given) => {
    code = given;
  });
  try {
    await (await createProgram(context, argv[0])).parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    const error = sessions.reduce((found, session) => session.explain(found), thrown);
    for (const line of formatErrorLines(error, await isDebug(deps))) context.out.note(line);
    const note = otherNameNote(argv, error);
    if (note) context.out.note(note);
    return toExitCode(error);
  } finally {
    await Promise.allSettled(closing.map((close) => close()));
  }
}

function createContext(
  deps: CliDeps,
  out: CliOutput,
  sessions: Session[],
  closing: (() => unknown)[],
  exitWith: (code: number) => void,
): Context {
  return {
    deps,
    out,
    async session() {
      const { Session } = await import('./session.ts');
      const session = await Session.open(deps, await deps.settings());
      sessions.push(session);
      closing.push(() => session.close());
      return session.reach();
    },
    async runtimes(seen = (runtime) => runtime) {
      const { Runtimes } = await import('../runtimes/registry.ts');
      const all = (await deps.components(await deps.settings())).runtimes().runtimes.map(seen);
      const runtimes = new Runtimes(all, Date.now, () => {});
      closing.push(() => runtimes.close());
      return runtimes;
    },
    now: Date.now,
    newId: randomUUID,
    exitWith,
  };
}

/** The verb that a command line starts with, or all verbs, in the order of the help text. */
async function createProgram(context: Context, word: string | undefined): Promise<Command> {
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
  for (const { heading, command } of await loadVerbs(context, word)) {
    // Also for verbs of a group: without the override, commander would exit the process.
    for (const verb of command.commands) verb.copyInheritedSettings(program);
    program.addCommand(command.copyInheritedSettings(program).helpGroup(heading));
  }
  return program;
}

async function isDebug(deps: CliDeps): Promise<boolean> {
  try {
    const { logLevel } = await deps.settings();
    return logLevel === 'debug' || logLevel === 'trace';
  } catch {
    return false;
  }
}
