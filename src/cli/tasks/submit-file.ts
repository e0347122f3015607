/** `wm tasks submit -f FILE`: one task a line. */
import type { AcceptedTask, BulkResult } from '../../tasks/bulk.ts';
import type { TaskService } from '../../tasks/task-service.ts';
import type { Context } from '../context.ts';
import { EXIT, usageError } from '../exit.ts';
import { type Format, isData } from '../print/output.ts';
import { readTaskFile } from './task-file.ts';
import { deadline, printEnd, untilEnded } from './tasks-wait.ts';

interface FileOptions {
  file: string;
  /** Fields of the command line; they precede those of the lines. */
  fields: Record<string, unknown>;
  /** Absent if the end of the tasks is not awaited. */
  waitSeconds: number | undefined;
  output: Format;
}

/**
 * Prints the ID of each accepted task, and the line and reason of each refused one on stderr; with -o json, the result of each
 * line. Fails if a line was refused.
 */
export async function submitFile(
  context: Context,
  taskService: TaskService,
  { file, fields, waitSeconds, output }: FileOptions,
): Promise<void> {
  if ('task_id' in fields)
    throw usageError(
      'With --file, give task_id in each line instead of --id: all lines would be the same task.',
    );
  const { out } = context;
  const accepted: AcceptedTask[] = [];
  const warnings = new Set<string>();
  let [count, refused] = [0, 0];
  const complete = (input: unknown) => (isObject(input) ? { ...input, ...fields } : input);
  for await (const result of taskService.submitLines(readTaskFile(file), complete)) {
    count += 1;
    if ('error' in result) refused += 1;
    else {
      if (result.warning !== undefined && !warnings.has(result.warning)) out.note(`note: ${result.warning}`);
      warnings.add(result.warning ?? '');
      if (waitSeconds !== undefined) accepted.push(result);
    }
    if (isData(output)) {
      if (waitSeconds === undefined || 'error' in result) await out.item(output, result);
    } else if ('error' in result) out.note(explainLine(file, result));
    else if (waitSeconds === undefined)
      await out.line(output === 'name' ? `task/${result.task_id}` : result.task_id);
  }
  if (count === 0) throw usageError(`${describeFile(file)} has no tasks.`);
  if (refused > 0) {
    context.exitWith(EXIT.failed);
    out.note(`${refused} of ${count} tasks were refused; the others are accepted.`);
  }
  const until = deadline(waitSeconds ?? 0);
  for (const task of accepted) await printEnd(context, await untilEnded(taskService, task, until), output);
}

/** As compilers do, so that editors find the line. */
function explainLine(file: string, { line, error }: Extract<BulkResult, { error: unknown }>): string {
  return `${file === '-' ? 'stdin' : file}:${line}: ${error.message}`;
}

const describeFile = (file: string): string => (file === '-' ? 'Standard input' : file);

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
