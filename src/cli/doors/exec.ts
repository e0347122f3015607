import { StringDecoder } from 'node:string_decoder';
import { Command } from 'commander';
import { EXEC_FRAMES, readFrames } from '../../model/doors/exec-frames.ts';
import { Fault } from '../../model/values/fault.ts';
import { printable } from '../../telemetry/printable.ts';
import { openRequest, requireApi, toWorkerPath } from '../api/door-api.ts';
import type { Context } from '../context.ts';
import type { ManagerApi } from '../deps.ts';
import { usageError } from '../exit.ts';
import { addPair, parseSeconds } from '../values.ts';

interface Options {
  interactive?: boolean;
  tty?: boolean;
  workdir?: string;
  env?: Record<string, string>;
  detach?: boolean;
  timeout?: number;
}

/** The events of a stream that matter here. */
type Event =
  | { type: 'started'; process_id: string }
  | { type: 'exit'; exit_code: number; oom?: true; timed_out?: true; error?: string }
  | { type: 'lost'; bytes: number };

export function execCommand(context: Context): Command {
  return new Command('exec')
    .summary('run a command in a worker')
    .description(
      "Run a command in the body of a worker, as its agent's user and with its allowed commands only. The exit code is that of the command: 124 after --timeout, 126 if it was refused, 127 if it was not found. It ends, with all its children, when wm ends.",
    )
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .argument('[command...]', 'program and arguments; with -t, by default a shell')
    .passThroughOptions()
    .option('-i, --interactive', 'pass standard input on to the command')
    .option('-t, --tty', 'open a terminal for the command, and show it in this one')
    .option('-w, --workdir <path>', 'directory (default: the workspace)')
    .option('-e, --env <name=value>', 'environment variable; repeatable', addPair)
    .option('-d, --detach', 'print the ID of the process and leave it running')
    .option('--timeout <time>', 'end it after this time', parseSeconds)
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm exec 3f2a -- git status\n  $ tar c src | wm exec -i 3f2a -- tar x\n  $ wm exec 3f2a -- sh -c "npm test | tail -20"\n  $ wm exec -it 3f2a\n\nWith -t, Ctrl-P Ctrl-Q detaches: the command runs on, and `wm attach -t` shows it again.',
    )
    .action(async (ref: string, words: string[], options: Options, self: Command) => {
      const line = moveOptionsFirst(ref, words);
      if (!line) return exec(context, ref, words, options);
      const { rawArgs = [] } = self.parent as Command & { rawArgs?: string[] };
      // All of them: what was parsed before does not count any more.
      const before = rawArgs.slice(rawArgs.indexOf('exec') + 1, -words.length - 1);
      await self.parseAsync([...before, ...line], { from: 'user' });
    });
}

/** The command line of kubectl, `exec ID -it -- sh`, with the options before the ID; undefined if there are none after it. */
function moveOptionsFirst(ref: string, words: string[]): string[] | undefined {
  if (!words[0]?.startsWith('-') || words[0] === '--') return undefined;
  const end = words.indexOf('--');
  if (end >= 0) return [...words.slice(0, end), ref, ...words.slice(end)];
  if (words.every((word) => word.startsWith('-'))) return [...words, ref];
  const [option] = words;
  throw usageError(
    `Write ${option} before the worker, or -- before the command, as in \`wm exec ${option} ${ref} -- COMMAND\`.`,
  );
}

async function exec(context: Context, ref: string, words: string[], options: Options): Promise<void> {
  // After an operand, commander passes `--` on.
  const command = words[0] === '--' ? words.slice(1) : words;
  const { interactive, tty, workdir, env, detach, timeout } = options;
  if (tty && (detach || timeout !== undefined))
    throw usageError('-t excludes --detach and --timeout: Ctrl-P Ctrl-Q detaches from a terminal.');
  if (!tty && command.length === 0) throw usageError('The command is missing.');
  const api = requireApi(context);
  const path = await toWorkerPath(api, ref);
  if (tty) {
    const { openTerminal } = await import('./terminal.ts');
    return openTerminal(context, api, path, { command, cwd: workdir, env });
  }
  const body = {
    command,
    ...(workdir !== undefined && { cwd: workdir }),
    ...(env && { env }),
    ...(timeout !== undefined && { timeout_seconds: timeout }),
    ...(interactive && { open_stdin: true }),
    ...(detach && { detach: true }),
  };
  const { request, response } = openRequest(api, {
    method: 'POST',
    path: `${path}/exec`,
    headers: { 'content-type': 'application/json', ...(!detach && { accept: EXEC_FRAMES }) },
  });
  request.end(JSON.stringify(body));
  const answer = await response;
  if (detach) {
    const { json } = await import('node:stream/consumers');
    const { process_id } = (await json(answer)) as { process_id: string };
    await context.out.line(process_id);
    return;
  }
  const exit = await show(context, answer, (id) => {
    if (interactive) sendInput(api, `${path}/processes/${id}/stdin?close=true`);
  });
  if (exit.oom || exit.timed_out) context.out.note(`error: ${exit.error}`);
  context.exitWith(exit.exit_code);
}

/** Prints the output as it comes; resolves with the end. Throws a Fault if the connection is cut before it. */
async function show(
  { out }: Context,
  answer: AsyncIterable<Buffer>,
  onStart: (processId: string) => void,
): Promise<Event & { type: 'exit' }> {
  const decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };
  /** A pipe or a file gets the output unchanged; only a terminal interprets control characters. */
  const write = (stream: 'stdout' | 'stderr', bytes: Buffer) =>
    out.bytes(out.isTerminal ? printable(decoders[stream].write(bytes)) : bytes, stream);
  let cause: unknown;
  try {
    for await (const frame of readFrames(answer)) {
      if ('stream' in frame) {
        await write(frame.stream, frame.bytes);
        continue;
      }
      const event = frame.event as Event;
      if (event.type === 'started') onStart(event.process_id);
      else if (event.type === 'lost') out.note(`note: ${event.bytes} bytes of output were lost here.`);
      else if (event.type === 'exit') return event;
    }
  } catch (error) {
    cause = error;
  }
  throw new Fault(
    'unavailable',
    'The connection was cut before the command ended, and it was killed if it was still running. Its worker, or the manager, has probably ended.',
    { cause, reason: 'body_lost' },
  );
}

/** Passes standard input on until its end, or until the command does not read any more. */
function sendInput(api: ManagerApi, path: string): void {
  const { stdin } = process;
  const { request, response } = openRequest(api, {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/octet-stream' },
  });
  const stop = () => {
    stdin.unpipe(request);
    stdin.destroy();
  };
  // What ends the input early, such as `head`, is not an error; if the manager has gone, the output is cut as well.
  response.then((answer) => answer.resume(), stop);
  stdin.on('error', stop);
  stdin.pipe(request);
}
