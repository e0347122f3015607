import { Command } from 'commander';
import { RESPONSE_SECONDS, timeoutOption } from '../api/request-manager.ts';
import type { Context } from '../context.ts';
import { printResult } from '../print/listing.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { parseSeconds } from '../values.ts';
import { type CreateOptions, createFields } from './create-fields.ts';
import { addCreateOptions } from './create-options.ts';
import { printWarnings, requestCreate, untilStarted } from './create-worker.ts';

/** Default timeout of `--wait` in seconds: the maximum duration of a start, and of a build before it. */
const WAIT_SECONDS = 300;

interface Options extends CreateOptions {
  requestId?: string;
  timeout?: number;
  wait?: boolean;
  output: Format;
}

export function createCommand(context: Context): Command {
  const command = new Command('create')
    .summary('create a worker')
    .description('Create a worker and print its ID.');
  return addCreateOptions(command)
    .option('--keep <time>', 'how long to keep its record after it ends', parseSeconds)
    .option('--wait', 'wait until its program was started; exit code 1 and the reason if it was not')
    .addOption(timeoutOption(WAIT_SECONDS))
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ wm create --name hello --memory 256m --wait -- sh -c "echo hello; sleep 60"',
    )
    .action((commandLine: string[], options: Options) => create(context, commandLine, options));
}

async function create(context: Context, commandLine: string[], options: Options): Promise<void> {
  const { output, wait } = options;
  const fields = createFields(options, commandLine);
  const session = await context.session();
  const limit = options.timeout ?? (wait ? WAIT_SECONDS : RESPONSE_SECONDS);
  const began = performance.now();
  const request_id = options.requestId ?? context.newId();
  const { answer, id, failure } = await requestCreate(context, session, { ...fields, request_id }, limit);
  if (answer.success || isData(output))
    await printResult(context.out, output, { value: answer, names: [`worker/${id}`], text: id });
  if (!isData(output)) printWarnings(context.out, answer);
  if (failure) throw failure;
  if (!wait) return;
  const left = Math.max(0.1, limit - (performance.now() - began) / 1000);
  await untilStarted(context, session, id, left);
}
