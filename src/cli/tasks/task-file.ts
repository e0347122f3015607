import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Fault } from '../../model/index.ts';
import { splitLines, TASK_LINE_BYTES, type TaskLine } from '../../tasks/task-lines.ts';
import { usageError } from '../exit.ts';

/**
 * The tasks of a file, `-` for standard input: one JSON object a line, or one object on several lines. Reads only as much as
 * is taken.
 */
export async function* readTaskFile(path: string): AsyncGenerator<TaskLine> {
  await checkFile(path);
  const lines = splitLines(path === '-' ? process.stdin : createReadStream(path));
  const start: TaskLine[] = [];
  let bytes = 0;
  // A loop that breaks would close the generator.
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    start.push(next.value);
    bytes += next.value.bytes?.length ?? Number.POSITIVE_INFINITY;
    // The first line of one indented object is not JSON.
    if ((start.length === 1 && isJson(next.value.bytes)) || bytes > TASK_LINE_BYTES) break;
  }
  const whole = Buffer.concat(start.map((line) => line.bytes ?? Buffer.alloc(0)));
  if (start[0] && start.length > 1 && isJson(whole)) yield { line: start[0].line, bytes: whole };
  else yield* start;
  yield* lines;
}

async function checkFile(path: string): Promise<void> {
  if (path === '-') return;
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const hint = /^[\w.]+$/.test(path) ? ` To call a function, use --function ${path}.` : '';
    throw usageError(`The file ${path} cannot be read (${error.code ?? error.message}).${hint}`);
  });
  if (found.isDirectory()) throw new Fault('invalid_command', `${path} is a folder, not a file of tasks.`);
}

function isJson(bytes: Buffer | undefined): boolean {
  try {
    JSON.parse(bytes?.toString('utf8').replace(/^\uFEFF/, '') ?? '');
    return true;
  } catch {
    return false;
  }
}
