import { Command } from 'commander';
import { status as observed } from '../commands/status.ts';
import type { Answer, StatusRecord } from '../model/index.ts';
import { refusalOf } from './ask.ts';
import type { Context } from './context.ts';
import { outputOption } from './output.ts';
import { table } from './table.ts';
import { ageOf, shortId } from './text.ts';
import { resolveId } from './worker-id.ts';

const COLUMNS = ['ID', 'STATUS', 'PHASE', 'REASON', 'RESTARTS', 'EXIT', 'IP', 'STARTED', 'MESSAGE'];

export function statusCommand(context: Context): Command {
  return new Command('status')
    .summary('show the status of a worker')
    .description('Show the observed status of a worker, including recently deleted ones.')
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm status 3f2a -o json')
    .action((given: string, options: { output: string }) => status(context, given, options));
}

async function status(context: Context, given: string, options: { output: string }): Promise<void> {
  const { out, now, newId } = context;
  const session = await context.session();
  const worker_id = await resolveId(session, given);
  // Builds the command's response here, so that no manager is necessary.
  const command = { command: 'status', request_id: newId(), worker_id } as const;
  const { answers } = await observed(command, session);
  const { request_id: _, command: __, success, ...told } = JSON.parse(answers.ok) as Answer;
  if (!success) throw refusalOf(JSON.parse(answers.ok));
  if (options.output === 'json') return out.json(told);
  const seen = told as unknown as StatusRecord;
  const row = [shortId(worker_id), seen.status, seen.phase, seen.reason, seen.restarts, seen.exit_code ?? ''];
  await out.line(
    table(COLUMNS, [[...row, seen.ip_address ?? '', ageOf(seen.started_at, now()), seen.message]]),
  );
}
