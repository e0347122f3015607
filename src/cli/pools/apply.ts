import { Command } from 'commander';
import { type CommandResponse, errorMessage, Fault, type PoolSpec } from '../../model/index.ts';
import type { Member } from '../../model/pool/pool-memo.ts';
import { diffPool, type PoolDifference } from '../../pools/diff.ts';
import { PoolStore } from '../../store/index.ts';
import { RESPONSE_SECONDS, requestManager, timeoutOption, toFault } from '../api/request-manager.ts';
import type { Context } from '../context.ts';
import { EXIT, formatErrorLines, usageError } from '../exit.ts';
import { createBuildProgress, toBuildProgress } from '../print/build-progress.ts';
import { printResult } from '../print/listing.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { readInput } from '../read-input.ts';
import { readPools } from './pool-file.ts';
import { withLoadErrorNotes } from './pool-load-errors.ts';
import { waitForPool } from './wait-for-pool.ts';

/** Default timeout of `--wait` in seconds, the same as for `create --wait`. */
const WAIT_SECONDS = 300;
const EXAMPLE = '\nExample:\n  $ wm diff -f pools.yaml; [ $? -eq 1 ] && wm apply -f pools.yaml';

interface Options {
  file: string;
  wait?: boolean;
  timeout?: number;
  output: Format;
}

export function applyCommand(context: Context): Command {
  return new Command('apply')
    .summary('create or update pools')
    .description('Create or update pools from a YAML or JSON file.')
    .requiredOption('-f, --file <file>', 'one or several pools (- for standard input)')
    .option('--wait', 'wait until all pools are ready')
    .addOption(timeoutOption(WAIT_SECONDS))
    .addOption(outputOption())
    .addHelpText('after', EXAMPLE)
    .action((options: Options) => apply(context, options));
}

async function apply(context: Context, { file, wait, timeout, output }: Options): Promise<void> {
  const pools = loadPools(file);
  const session = await context.session();
  const until = performance.now() + (timeout ?? (wait ? WAIT_SECONDS : RESPONSE_SECONDS)) * 1000;
  // Displayed with a precision of a tenth of a second.
  const left = () => Math.max(0.1, Math.round((until - performance.now()) / 100) / 10);
  const answers: CommandResponse[] = [];
  for (const pool of pools) {
    const answer = await requestManager(
      context,
      session,
      { command: 'apply', request_id: context.newId(), pool },
      left(),
    );
    if (!answer.success) throw toFileFault(toFault(answer));
    answers.push(answer);
    if (!isData(output))
      await context.out.line(`pool/${pool.name}${output === 'name' ? '' : ` ${answer.change}`}`);
  }
  if (wait) {
    const store = withLoadErrorNotes(new PoolStore(session.redis, session.settings.cell), context.out);
    const progress = createBuildProgress(context.deps.stderr);
    const show = (members: readonly Member[]) => progress.show(members.find(toBuildProgress));
    for (const { name } of pools) await waitForPool(store, name, left(), show).finally(progress.end);
  }
  if (isData(output)) await context.out.data(output, answers);
}

/**
 * Maps the issues to the paths of the pool's own file. The message already contains them, so they are not printed
 * twice.
 */
function toFileFault({ code, message, issues }: Fault): Fault {
  if (!issues) return new Fault(code, message);
  const own = issues.map((issue) => ({ ...issue, path: issue.path.replace(/^pool\./, '') }));
  return new Fault(code, message, { issues: own });
}

export function diffCommand(context: Context): Command {
  return new Command('diff')
    .summary('show what `apply` would change')
    .description(
      'Compare the pools in a file with the stored ones; nothing is changed. Exit code, as with kubectl diff: 0 no differences, 1 differences, 2 an error.',
    )
    .requiredOption('-f, --file <file>', 'one or several pools (- for standard input)')
    .addOption(outputOption())
    .addHelpText('after', EXAMPLE)
    .action(async (options: { file: string; output: Format }) => {
      try {
        await diff(context, options);
      } catch (error) {
        context.out.note(formatErrorLines(error, false).join('\n'));
        context.exitWith(EXIT.usage);
      }
    });
}

async function diff(context: Context, { file, output }: { file: string; output: Format }): Promise<void> {
  const pools = loadPools(file);
  const session = await context.session();
  const store = new PoolStore(session.redis, session.settings.cell);
  const differences: PoolDifference[] = [];
  for (const pool of pools) differences.push(diffPool(await store.record(pool.name), pool));
  const some = differences.filter(({ change }) => change !== 'unchanged');
  await printResult(context.out, output, {
    value: differences,
    names: some.map(({ name }) => `pool/${name}`),
    text: some.map(formatDifference).join('\n'),
  });
  context.exitWith(some.length > 0 ? EXIT.failed : EXIT.done);
}

/** Like a diff: removed lines have a `-`, added lines a `+`. */
function formatDifference({ name, change, fields, replaces }: PoolDifference): string {
  const lines = fields.flatMap(({ path, before, after }) => [
    ...(before === undefined ? [] : [`- ${path}: ${JSON.stringify(before)}`]),
    ...(after === undefined ? [] : [`+ ${path}: ${JSON.stringify(after)}`]),
  ]);
  const what = change === 'created' ? 'would be created' : 'would be configured';
  return [`pool/${name} ${what}${replaces ? '; its workers would be replaced' : ''}`, ...lines].join('\n');
}

function loadPools(file: string): PoolSpec[] {
  let text: string;
  try {
    text = readInput(file);
  } catch (error) {
    throw usageError(`The file ${file} cannot be read: ${errorMessage(error)}.`);
  }
  return readPools(text, file === '-' ? 'standard input' : file);
}
