import { getLimits } from '../../config/limits.ts';
import type { Settings } from '../../config/settings.ts';
import { errorMessage, type PoolStatus, toMode } from '../../model/index.ts';
import type { Member } from '../../model/pool/pool-memo.ts';
import { decidePool } from '../../pools/decide.ts';
import {
  describePoolIntent,
  type PoolDecision,
  type PoolObservation,
  type QueueObservation,
} from '../../pools/observation.ts';
import { observePool, type PoolObserveContext } from '../../pools/reconcile.ts';
import { PoolStore } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { createMissingPool } from '../missing-pool.ts';
import { printResult } from '../print/listing.ts';
import type { Format } from '../print/output.ts';
import { formatFields, formatTable } from '../print/table.ts';
import { formatAge, formatAgeSince, shortId } from '../print/text.ts';

/** Observes a pool and makes the same decision as the manager, without acting on it. */
export async function explainPool(
  context: Context,
  name: string,
  { output }: { output: Format },
): Promise<void> {
  const session = await context.session();
  const { settings, redis } = session;
  const read = await new PoolStore(redis, settings.cell).load(name);
  if (!read) throw createMissingPool(name);
  const leader = await session.leader();
  const observation = await observePool(read, createObserver(context, settings, leader?.epoch));
  const decision = decidePool(observation);
  const { memo: _, intents, ...rest } = decision;
  const described = intents.map((intent) => ({ ...intent, description: describePoolIntent(intent) }));
  const value = {
    pool: name,
    leader: leader ?? null,
    generation: read.pool.generation,
    recorded: read.status ?? null,
    members: observation.members,
    queue: observation.queue,
    decision: { ...rest, intents: described },
  };
  const text = formatPoolExplanation(name, observation, decision, leader?.owner);
  await printResult(context.out, output, { value, names: [`pool/${name}`], text });
}

function createObserver(
  context: Context,
  settings: Settings,
  leadingSince: number | undefined,
): PoolObserveContext {
  const { now } = context;
  return {
    now,
    limits: getLimits(settings),
    leadingSince: leadingSince ?? now(),
    async observeQueue(pool): Promise<QueueObservation> {
      const { openTasks } = await import('../../tasks/index.ts');
      const tasks = openTasks(settings);
      try {
        const { queued, active } = await tasks.queue(pool).counts();
        return { kind: 'known', queued, active };
      } catch (error) {
        return { kind: 'unknown', error: errorMessage(error) };
      } finally {
        await tasks.close();
      }
    },
    /** Like the manager's choice, except for images, which only the manager can check. */
    async chooseAuto() {
      const runtimes = await context.runtimes();
      await runtimes.probe();
      return runtimes.states.find(({ info }) => info)?.name;
    },
    findWarmImage: async () => undefined,
  };
}

/** Formats the observation and the decision. Pure. */
export function formatPoolExplanation(
  name: string,
  { pool, members, queue, now, status: recorded, revision }: PoolObservation,
  { status, intents, requeue_after_ms }: PoolDecision,
  leader: string | undefined,
): string {
  const { desired, generation } = pool;
  const head = formatFields([
    ['Pool', name],
    ['Desired', `${desired}, generation ${generation}; ${status.desired} workers of template ${revision}`],
    [
      'Queue',
      queue.kind === 'known' ? `${queue.queued} wait, ${queue.active} run` : `unknown: ${queue.error}`,
    ],
    ['Recorded', recorded ? formatStatusLine(recorded) : 'nothing yet'],
    ['Decision', formatStatusLine(status)],
    ['Actions', intents.length > 0 ? intents.map(describePoolIntent).join(', then ') : 'nothing'],
    ['Next check', `in ${formatAge(requeue_after_ms)}, or when something changes`],
    [
      'Manager',
      leader ? `${leader} leads` : 'none leads, so nothing happens until one does; start it with `wm serve`',
    ],
  ]);
  if (members.length === 0) return head;
  const row = (member: Member) => [
    shortId(member.id),
    member.index,
    toMode(member.runtime),
    formatMemberState(member),
    member.active,
    member.revision === revision ? 'newest' : member.revision,
    formatAgeSince(new Date(member.created_at).toISOString(), now),
    [member.reason, member.message].filter(Boolean).join(': '),
  ];
  const columns = ['WORKER', 'INDEX', 'MODE', 'STATE', 'TASKS', 'TEMPLATE', 'AGE', 'WHY'];
  return `${head}\n\n${formatTable(columns, members.map(row))}`;
}

function formatMemberState({ desired, status, phase, busy, warm }: Member): string {
  if (desired === 'deleted') return 'leaving';
  if (status === 'RUNNING' && phase === 'ready') return warm ? 'warm' : busy ? 'busy' : 'idle';
  return phase;
}

function formatStatusLine({ phase, reason, message }: PoolStatus): string {
  return `${phase}${reason ? ` (${reason})` : ''}: ${message}`;
}
