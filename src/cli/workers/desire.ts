import { Command } from 'commander';
import { type CommandResponse, errorMessage } from '../../model/index.ts';
import { RESPONSE_SECONDS, requestManager, timeoutOption, toFault } from '../api/request-manager.ts';
import type { Context } from '../context.ts';
import { EXIT, formatErrorLines, toExitCode, usageError } from '../exit.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import type { Session } from '../session.ts';
import { type Goal, waitFor } from '../wait-for.ts';
import { resolveId } from '../worker-id.ts';

const WAIT_SECONDS = 60;

const VERBS = {
  stop: { summary: 'stop a worker and keep its record', goal: 'ended' },
  start: { summary: 'start a worker that has ended', goal: 'RUNNING' },
  restart: { summary: 'replace the body of a worker, or start it again', goal: 'RUNNING' },
  delete: { summary: 'stop a worker and delete its record', goal: 'deleted' },
} as const satisfies Record<string, { summary: string; goal: Goal }>;
type Verb = keyof typeof VERBS;

interface Options {
  reason?: string;
  requestId?: string;
  wait?: boolean;
  timeout?: number;
  output: Format;
}

export const desireCommands = (context: Context): Command[] =>
  (Object.keys(VERBS) as Verb[]).map((verb) => desireCommand(verb, context));

function desireCommand(verb: Verb, context: Context): Command {
  const { summary, goal } = VERBS[verb];
  const command = new Command(verb)
    .summary(summary)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}, and print its ID.`)
    .argument('<id...>', 'IDs, unique ID prefixes, or names')
    .option('--reason <text>', 'reason, for its history')
    .option('--request-id <id>', 'idempotency key (default: generated)')
    .option('--wait', `wait until it is ${goal}`)
    .addOption(timeoutOption(WAIT_SECONDS))
    .addOption(outputOption())
    .addHelpText('after', `\nExample:\n  $ wm ${verb} --wait 3f2a`)
    .action((ids: string[], options: Options) => desire(verb, context, ids, options));
  return verb === 'delete' ? command.alias('rm') : command;
}

/** Handles the workers one by one; a failure does not stop the others, like docker's verbs. */
async function desire(verb: Verb, context: Context, ref: string[], options: Options): Promise<void> {
  if (options.requestId !== undefined && ref.length > 1)
    throw usageError('--request-id identifies one command; give one worker only.');
  const session = await context.session();
  const answers: CommandResponse[] = [];
  const failures: unknown[] = [];
  for (const one of ref) {
    try {
      answers.push(await desireOne(verb, context, session, one, options));
    } catch (error) {
      failures.push(error);
      if (ref.length > 1) context.out.note(formatErrorLines(error, false).join('\n'));
    }
  }
  if (isData(options.output) && answers.length > 0)
    await context.out.data(options.output, ref.length === 1 ? answers[0] : answers);
  if (failures.length === 0) return;
  if (ref.length === 1) throw failures[0];
  const codes = new Set(failures.map(toExitCode));
  context.exitWith(codes.size === 1 ? ([...codes][0] ?? EXIT.failed) : EXIT.failed);
}

async function desireOne(
  verb: Verb,
  context: Context,
  session: Session,
  ref: string,
  { reason, requestId, wait, timeout, output }: Options,
): Promise<CommandResponse> {
  const worker_id = await resolveId(session, ref);
  const limit = timeout ?? (wait ? WAIT_SECONDS : RESPONSE_SECONDS);
  const began = performance.now();
  const why = reason === undefined ? {} : { reason };
  const command = { command: verb, worker_id, request_id: requestId ?? context.newId(), ...why };
  const answer = await requestManager(context, session, command, limit);
  if (!answer.success) throw toFault(answer);
  if (wait) {
    const left = Math.max(0.1, limit - (performance.now() - began) / 1000);
    const { reached, observation } = await waitFor(session, worker_id, VERBS[verb].goal, { seconds: left });
    if (!reached)
      throw new Error(
        `The worker ${worker_id} is ${observation.status?.status}: ${errorMessage(observation.status?.message)}`,
      );
  }
  if (!isData(output)) await context.out.line(output === 'name' ? `worker/${worker_id}` : worker_id);
  return answer;
}
