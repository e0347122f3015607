import { z } from 'zod';
import { execInWorker } from '../../http/doors/exec-in-worker.ts';
import { EXEC_SECONDS, execFields, Fault, hasOneCommand, ONE_COMMAND } from '../../model/index.ts';
import { toAnswerTail } from '../answer.ts';
import { defineTool, findWorker } from '../tool.ts';
import { workerRef } from './inputs.ts';

const EXEC_TIMEOUT_SECONDS = 120;

export const execTool = defineTool({
  name: 'exec',
  title: 'Run a command in a worker',
  description:
    "Runs a command beside the worker's agent, as its user and with its allowed commands only, and returns its exit code and the end of its output. The command ends after timeout_seconds, and if this call is cancelled.",
  input: z.strictObject({
    worker: workerRef,
    command: execFields.command,
    shell: execFields.shell,
    cwd: execFields.cwd,
    stdin: execFields.stdin,
    timeout_seconds: z.number().positive().max(EXEC_SECONDS).default(EXEC_TIMEOUT_SECONDS),
  }),
  annotations: { destructiveHint: true },
  async run({ worker, ...request }, call) {
    const { services, signal } = call;
    if (!hasOneCommand(request)) {
      const { path, message } = ONE_COMMAND;
      throw new Fault('invalid_command', `${path} ${message}.`);
    }
    const { worker_id } = await findWorker(worker, call);
    const { onExec, doors } = services;
    const outcome = await execInWorker(doors, worker_id, request, { signal, onExec });
    const { exit_code, signal: killed, oom, timed_out, error, stdout, stderr, truncated } = outcome;
    const [out, err] = [toAnswerTail(stdout), toAnswerTail(stderr)];
    return {
      exit_code,
      ...(killed && { signal: killed }),
      ...(oom && { oom }),
      ...(timed_out && { timed_out }),
      ...(error !== undefined && { error }),
      stdout: out.text,
      stderr: err.text,
      ...((truncated || out.truncated || err.truncated) && { truncated: true }),
    };
  },
});
