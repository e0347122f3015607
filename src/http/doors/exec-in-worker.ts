/** Runs commands in workers for the manager's own use, and waits for their results. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { execRequest, execResult } from '../../model/index.ts';
import { type CountExec, countOnce, toExecResult } from './count-exec.ts';
import { readDoorBytes, readDoorFault } from './door-answer.ts';
import type { DoorService } from './door-service.ts';

/** The end of a command, and its output. */
export type ExecOutcome = z.infer<typeof execResult>;

/**
 * Runs a command in the body of a worker. It ends if the signal fires. Throws a Fault if there is no result; `onExec` is
 * called in any case.
 */
export async function execInWorker(
  doors: Pick<DoorService, 'request'>,
  worker_id: string,
  request: Omit<z.input<typeof execRequest>, 'detach' | 'open_stdin'>,
  { signal, onExec = () => {} }: { signal: AbortSignal; onExec?: CountExec },
): Promise<ExecOutcome> {
  const count = countOnce(onExec);
  let answer: IncomingMessage;
  let body: string;
  try {
    answer = await doors.request(worker_id, {
      kind: 'exec',
      method: 'POST',
      path: '/exec',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(request),
      signal,
    });
    body = (await readDoorBytes(answer)).toString();
  } catch (error) {
    count('error');
    signal.throwIfAborted();
    throw error;
  }
  count(toExecResult(answer));
  if (answer.statusCode !== 200) throw readDoorFault(body);
  return JSON.parse(body) as ExecOutcome;
}
