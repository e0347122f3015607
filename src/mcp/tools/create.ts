import { z } from 'zod';
import { Fault, hasEnded, specFields } from '../../model/index.ts';
import { type McpWorker, readAncestors } from '../caller.ts';
import { limitWorker } from '../rights.ts';
import { defineTool, type McpServices, toShortView, untilLateOr } from '../tool.ts';
import { waitField } from './inputs.ts';

/** Number of workers that are read at once to count the living ones. */
const PAGE = 1000;

const input = z.strictObject({
  agent_type: z
    .enum(['CLAUDE', 'FACTORY', 'CODEX', 'CUSTOM'])
    .describe('which agent it runs; CUSTOM runs command_line'),
  name: specFields.name.describe('a name that no running worker has'),
  prompt: specFields.prompt.describe('its first prompt'),
  exit_after_prompt: specFields.exit_after_prompt.describe('whether it ends when its prompt is answered'),
  instructions: specFields.instructions.describe('standing instructions for the agent'),
  command_line: specFields.command_line.describe('program and arguments, for CUSTOM'),
  protocol: specFields.protocol.describe('protocol of the program, for CUSTOM; lines by default'),
  allowed_commands: specFields.allowed_commands.describe(
    'programs that the agent may execute; without it, your own list, or all',
  ),
  modules: specFields.modules.describe('tools to install in its image'),
  image: specFields.image.describe('an image that the operator allows, instead of one that is built'),
  secrets: specFields.secrets.describe('names of secrets, such as ANTHROPIC_API_KEY for CLAUDE'),
  resources: specFields.resources.describe('memory (such as 512m), cpus and pids'),
  ttl_seconds: specFields.ttl_seconds.describe('its longest lifetime; as long as possible by default'),
  wait_seconds: waitField(60, 'how long to wait until it is ready; an image may have to be built'),
});

export const createTool = defineTool({
  name: 'create',
  title: 'Create a worker',
  description:
    'Creates a worker: a container or process in which an agent or a program runs. Returns it when it is ready, or its state after wait_seconds. Delete it when you no longer need it.',
  input,
  annotations: { destructiveHint: false },
  async run({ wait_seconds, ...wanted }, call) {
    const { caller, services, limits, signal, progress } = call;
    const { workers } = services;
    const fields = limitWorker(caller, wanted, limits, workers.now());
    const answer = await oneAtATime(async () => {
      signal.throwIfAborted();
      await rejectTooMany(services, limits.maxWorkers);
      return workers.sendCommand({ command: 'create', ...fields });
    });
    const id = String(answer.worker_id);
    if (caller.kind === 'worker') await rejectOrphan(services, caller, id);
    progress(`${id} was created`);
    const late = untilLateOr(signal, wait_seconds);
    const { outcome } = await workers.waitFor(id, 'ready', late);
    const view = await workers.get(id);
    const { warnings } = answer;
    return {
      ...(view ? toShortView(view) : { worker_id: id }),
      ready: outcome === 'reached',
      ...(warnings !== undefined && { warnings }),
    };
  },
});

/**
 * Deletes a new worker whose creator, or one above it, was deleted meanwhile: the deletion may have listed the descendants
 * before this one existed.
 */
async function rejectOrphan(
  { workers }: Pick<McpServices, 'workers'>,
  { ancestors, id }: McpWorker,
  worker_id: string,
): Promise<void> {
  for (const creator of [...ancestors, id]) {
    const view = await workers.get(creator);
    if (view && view.desired !== 'deleted') continue;
    const command = { command: 'delete', worker_id, reason: `Its creator ${creator} was deleted` };
    await workers.sendCommand(command);
    throw new Fault('conflict', `The worker was deleted again: its creator ${creator} was deleted.`);
  }
}

/** Counting and creating are one step, so that agents that create at the same time do not exceed the limit together. */
let last: Promise<unknown> = Promise.resolve();
function oneAtATime<T>(act: () => Promise<T>): Promise<T> {
  const mine = last.then(act, act);
  last = mine.catch(() => {});
  return mine;
}

async function rejectTooMany({ workers }: Pick<McpServices, 'workers'>, most: number): Promise<void> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const { items, next } = await workers.page({
      limit: PAGE,
      cursor,
      keep: ({ labels, status, desired }) =>
        readAncestors(labels) !== undefined && desired !== 'deleted' && !hasEnded(status),
    });
    count += items.length;
    if (count >= most)
      throw new Fault(
        'capacity',
        `${most} workers that were created with these tools are alive, which is the operator's limit (MCP_MAX_WORKERS). Delete one first.`,
      );
    cursor = next;
  } while (cursor !== undefined);
}
