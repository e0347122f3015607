/** Counts the commands in workers, by how they ended. */
import type { IncomingMessage } from 'node:http';
import { EXEC_RESULT, EXEC_RESULTS, type ExecResult } from '../../model/doors/exec-result.ts';

/** Called once for each command, with its duration unless it was detached. */
export type CountExec = (result: ExecResult, seconds: number | undefined) => void;

/** Counts one command, however often it is called. */
export function countOnce(onExec: CountExec): (result: ExecResult) => void {
  const began = performance.now();
  let counted = false;
  return (result) => {
    if (counted) return;
    counted = true;
    onExec(result, result === 'detached' ? undefined : (performance.now() - began) / 1000);
  };
}

/** What the body says about the end of a command; an answer that was cut says nothing. */
export function toExecResult({ headers, trailers }: IncomingMessage): ExecResult {
  const text = headers[EXEC_RESULT] ?? trailers[EXEC_RESULT];
  return EXEC_RESULTS.find((result) => result === text) ?? 'error';
}
