import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ApiFault } from '../../http/api-fault.ts';
import { rejectTurnless, sendMessage } from '../../http/workers/prompt.ts';
import { findTurnEnd } from '../../http/workers/turn.ts';
import { type OutputMessage, PROMPT_DEADLINE_SECONDS, TEXT_LIMIT, takeHead } from '../../model/index.ts';
import { toAnswerEntry } from '../answer.ts';
import { defineTool, findWorker, untilLateOr } from '../tool.ts';
import { waitField, workerRef } from './inputs.ts';

/** Characters of an entry in a report of progress. */
const SHOWN = 200;

export const sendTool = defineTool({
  name: 'send',
  title: 'Send a prompt and wait for the answer',
  description:
    "Sends a prompt to a worker's agent and returns its answer: the last entry of the turn. If the turn lasts longer than wait_seconds, it continues, and `ended` is false: wait for it with the tool output and its request_id. A program with the protocol lines has no turns: read its output.",
  input: z.strictObject({
    worker: workerRef,
    prompt: z.string().min(1).max(TEXT_LIMIT),
    wait_seconds: waitField(300, 'how long to wait for the end of the turn'),
    deadline_seconds: z
      .number()
      .positive()
      .max(PROMPT_DEADLINE_SECONDS)
      .optional()
      .describe('time limit for the agent; the turn then fails'),
  }),
  annotations: { destructiveHint: false },
  async run({ worker, prompt, wait_seconds, deadline_seconds }, call) {
    const { services, signal, progress } = call;
    const { workers } = services;
    const { worker_id } = await findWorker(worker, call);
    const turnless = await rejectTurnless(workers, worker_id).then(
      () => false,
      () => true,
    );
    const request_id = randomUUID();
    const from = await workers.before({ worker_id, of: 'output' }, 0);
    const limit = deadline_seconds === undefined ? {} : { deadline_seconds };
    await sendMessage(
      workers,
      worker_id,
      { type: 'prompt', content: prompt, request_id, ...limit },
      undefined,
    );
    const sent = { worker_id, request_id };
    if (turnless)
      return { ...sent, ended: false, note: 'This program has no turns: read its output.', after: from };
    if (wait_seconds === 0) return { ...sent, ended: false };
    const onEntry = ({ type, content }: OutputMessage) => progress(`${type}: ${takeHead(content, SHOWN)}`);
    try {
      const late = untilLateOr(signal, wait_seconds);
      const end = await findTurnEnd(workers, { ...sent, from, onEntry }, late);
      return { ...sent, ended: true, ...toAnswerEntry(end) };
    } catch (error) {
      if (!(error instanceof ApiFault && error.status === 504)) throw error;
      signal.throwIfAborted();
      return { ...sent, ended: false };
    }
  },
});
