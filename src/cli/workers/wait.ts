import { Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { shortId } from '../print/text.ts';
import { parseSeconds } from '../values.ts';
import { GOALS, type Goal, waitFor } from '../wait-for.ts';
import { resolveId } from '../worker-id.ts';

/** kubectl waits for 30 s; the start of a worker can take longer. */
const WAIT_SECONDS = 60;

interface Options {
  for: Goal;
  timeout: number;
  output: Format;
}

export function waitCommand(context: Context): Command {
  return new Command('wait')
    .summary('wait for a worker to reach a state')
    .description('Wait for a worker to reach a state. Exits 1 if it can no longer reach it.')
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .addOption(
      new Option('--for <state>', 'state to wait for; ready accepts prompts, ended is STOPPED or FAILED')
        .choices(GOALS)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--timeout <time>', 'time limit')
        .argParser(parseSeconds)
        .default(WAIT_SECONDS, `${WAIT_SECONDS}s`),
    )
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm wait --for=RUNNING --timeout 2m 3f2a')
    .action((ref: string, options: Options) => wait(context, ref, options));
}

async function wait({ session: open, out }: Context, ref: string, options: Options): Promise<void> {
  const session = await open();
  const id = await resolveId(session, ref);
  const { reached, observation } = await waitFor(session, id, options.for, { seconds: options.timeout });
  const now = observation.deleted ? 'deleted' : (observation.status?.status ?? 'STARTING');
  const { phase = '', reason = '', message = '' } = observation.status ?? {};
  if (isData(options.output))
    await out.data(options.output, { worker_id: id, reached, state: now, phase, reason, message });
  else if (reached)
    await out.line(options.output === 'name' ? `worker/${id}` : `${shortId(id)} ${options.for}`);
  if (reached) return;
  throw new Error(
    `The worker ${id} is ${now}, not ${options.for}. ${[reason, message].filter(Boolean).join(': ')}`.trim(),
  );
}
