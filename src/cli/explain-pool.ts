import { Fault, messageOf, type PoolStatus, toMode } from '../model/index.ts';
import { decidePool } from '../pools/decide.ts';
import {
  describePool,
  type Member,
  type PoolDecision,
  type PoolLook,
  type QueueLook,
} from '../pools/observation.ts';
import { lookAt, type PoolLooker } from '../pools/reconcile.ts';
import { PoolStore } from '../store/index.ts';
import type { Context } from './context.ts';
import { fields, table } from './table.ts';
import { age, ageOf, shortId } from './text.ts';

/** Observes a pool and makes the same decision as the manager, without acting on it. */
export async function explainPool(
  context: Context,
  name: string,
  { output }: { output: string },
): Promise<void> {
  const session = await context.session();
  const { settings, redis } = session;
  const read = await new PoolStore(redis, settings.cell).load(name);
  if (!read) throw new Fault('not_found', `There is no pool ${name}. \`wm pools\` lists them.`);
  const leader = await session.leader();
  const look = await lookAt(read, looker(context, settings, leader?.epoch));
  const decision = decidePool(look);
  if (output === 'json') {
    const { memo: _, intents, ...rest } = decision;
    const told = intents.map((intent) => ({ ...intent, description: describePool(intent) }));
    return context.out.json({
      ...{
        pool: name,
        leader: leader ?? null,
        generation: read.pool.generation,
        recorded: read.status ?? null,
      },
      ...{ members: look.members, queue: look.queue, decision: { ...rest, intents: told } },
    });
  }
  await context.out.line(inWords(name, look, decision, leader?.owner));
}

function looker(
  context: Context,
  settings: { redisUrl: string; cell: string },
  leadingSince: number | undefined,
): PoolLooker {
  const { parts, now } = context;
  return {
    now,
    limits: parts.limits(parts.settings()),
    leadingSince: leadingSince ?? now(),
    async queueOf(pool): Promise<QueueLook> {
      const { openTasks } = await import('../tasks/index.ts');
      const tasks = openTasks(settings);
      try {
        const { queued, active } = await tasks.queue(pool).counts();
        return { kind: 'known', queued, active };
      } catch (error) {
        return { kind: 'unknown', error: messageOf(error) };
      } finally {
        await tasks.close();
      }
    },
    /** Like the manager's choice, except for images, which only the manager can check. */
    async placeOf() {
      const runtimes = context.runtimes();
      await runtimes.probe();
      return runtimes.states.find(({ info }) => info)?.name;
    },
    warmImageOf: async () => undefined,
  };
}

/** Formats the observation and the decision. Pure. */
export function inWords(
  name: string,
  { pool, members, queue, now, status: recorded, revision }: PoolLook,
  { status, intents, requeue_after_ms }: PoolDecision,
  leader: string | undefined,
): string {
  const { desired, generation } = pool;
  const head = fields([
    ['Pool', name],
    ['Desired', `${desired}, generation ${generation}; ${status.desired} workers of template ${revision}`],
    [
      'Queue',
      queue.kind === 'known' ? `${queue.queued} wait, ${queue.active} run` : `unknown: ${queue.error}`,
    ],
    ['Recorded', recorded ? line(recorded) : 'nothing yet'],
    ['Decision', line(status)],
    ['Actions', intents.length > 0 ? intents.map(describePool).join(', then ') : 'nothing'],
    ['Next check', `in ${age(requeue_after_ms)}, or when something changes`],
    [
      'Manager',
      leader ? `${leader} leads` : 'none leads, so nothing happens until one does; start it with `wm serve`',
    ],
  ]);
  if (members.length === 0) return head;
  const row = (member: Member) => [
    ...[shortId(member.id), member.index, toMode(member.runtime), stateOf(member), member.active],
    ...[
      member.revision === revision ? 'newest' : member.revision,
      ageOf(new Date(member.created_at).toISOString(), now),
    ],
    [member.reason, member.message].filter(Boolean).join(': '),
  ];
  const columns = ['WORKER', 'INDEX', 'MODE', 'STATE', 'TASKS', 'TEMPLATE', 'AGE', 'WHY'];
  return `${head}\n\n${table(columns, members.map(row))}`;
}

function stateOf({ desired, status, phase, busy, warm }: Member): string {
  if (desired === 'deleted') return 'leaving';
  if (status === 'RUNNING' && phase === 'ready') return warm ? 'warm' : busy ? 'busy' : 'idle';
  return phase;
}

function line({ phase, reason, message }: PoolStatus): string {
  return `${phase}${reason ? ` (${reason})` : ''}: ${message}`;
}
