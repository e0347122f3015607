import { Command } from 'commander';
import { planStatus as observed } from '../commands/status.ts';
import type { CommandResponse, StatusRecord } from '../model/index.ts';
import type { Context } from './context.ts';
import { outputOption } from './output.ts';
import { toFault } from './request-manager.ts';
import { formatTable } from './table.ts';
import { formatAgeSince, shortId } from './text.ts';
import { resolveId } from './worker-id.ts';

const COLUMNS = ['ID', 'STATUS', 'PHASE', 'REASON', 'RESTARTS', 'EXIT', 'IP', 'STARTED', 'MESSAGE'];

export function statusCommand(context: Context): Command {
  return new Command('status')
    .summary('show the status of a worker')
    .description('Show the observed status of a worker, including recently deleted ones.')
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm status 3f2a -o json')
    .action((ref: string, options: { output: string }) => status(context, ref, options));
}

async function status(context: Context, ref: string, options: { output: string }): Promise<void> {
  const { out, now, newId } = context;
  const session = await context.session();
  const worker_id = await resolveId(session, ref);
  // Builds the command's response here, so that no manager is necessary.
  const command = { command: 'status', request_id: newId(), worker_id } as const;
  const { answers } = await observed(command, session);
  const { request_id: _, command: __, success, ...response } = JSON.parse(answers.ok) as CommandResponse;
  if (!success) throw toFault(JSON.parse(answers.ok));
  if (options.output === 'json') return out.json(response);
  const seen = response as unknown as StatusRecord;
  const row = [shortId(worker_id), seen.status, seen.phase, seen.reason, seen.restarts, seen.exit_code ?? ''];
  await out.line(
    formatTable(COLUMNS, [
      [...row, seen.ip_address ?? '', formatAgeSince(seen.started_at, now()), seen.message],
    ]),
  );
}
