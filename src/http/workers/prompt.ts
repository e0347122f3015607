/** Sends messages to the agents of workers. */
import {
  endedWorker,
  Fault,
  fullInput,
  hasEnded,
  type InputMessage,
  missingWorker,
  type WorkerSpec,
} from '../../model/index.ts';
import { ApiFault } from '../api-fault.ts';
import type { WorkerService } from './worker-service.ts';

/** Throws a Fault `unsupported` for a program that receives and writes plain lines: the end of a turn cannot be seen. */
export async function rejectTurnless(service: Pick<WorkerService, 'spec'>, worker_id: string): Promise<void> {
  const spec = (await service.spec(worker_id)) as Partial<WorkerSpec> | undefined;
  if (spec?.agent_type !== 'CUSTOM' || (spec.protocol ?? 'lines') !== 'lines' || spec.exit_after_prompt)
    return;
  const what = `The worker ${worker_id} uses the protocol lines, which has no turns to wait for: send the prompt without wait and read the output, or create the worker with the protocol json or acp.`;
  throw new Fault('unsupported', what, {
    issues: [{ path: 'wait', message: 'needs an agent with turns' }],
  });
}

/** Adds a message to the input of a worker that can read it; throws a Fault otherwise. A repeated key is the same message. */
export async function sendMessage(
  service: Pick<WorkerService, 'get' | 'sendInput'>,
  worker_id: string,
  message: InputMessage,
  key: string | undefined,
) {
  const view = await service.get(worker_id);
  if (!view) throw missingWorker(worker_id);
  if (view.agent_type === 'TASK')
    throw new Fault('unsupported', `The worker ${worker_id} runs tasks and accepts no prompts.`);
  // It would wait for a start that may never come.
  if (hasEnded(view.status) && view.observed_generation >= view.generation) {
    const { code, message } = endedWorker(worker_id, view);
    throw new ApiFault(code, message, { status: 409, fields: { worker_id } });
  }
  const receipt = await service.sendInput(worker_id, { message, key });
  if (receipt.outcome === 'gone') throw missingWorker(worker_id);
  if (receipt.outcome === 'full') throw fullInput(worker_id);
  if (receipt.outcome === 'differs')
    throw new Fault(
      'conflict',
      `The Idempotency-Key ${key} was used before, for another message: use a new key.`,
    );
  return receipt;
}
