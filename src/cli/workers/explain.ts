import { Command } from 'commander';
import { getLimits } from '../../config/limits.ts';
import {
  type Body,
  type Decision,
  describeIntent,
  type Observation,
  type StatusRecord,
} from '../../model/index.ts';
import { decide } from '../../reconcile/decide.ts';
import { toExplanation } from '../../reconcile/explanation.ts';
import { observeWorker } from '../../reconcile/observe.ts';
import { Ownership, withOwnership } from '../../runtimes/ownership.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { withClaims } from '../../runtimes/with-claims.ts';
import { RedisClaimStore } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { explainPool } from '../pools/explain-pool.ts';
import { printResult } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatFields } from '../print/table.ts';
import { formatAge, formatAgeSince, shortId } from '../print/text.ts';
import { poolIn } from '../refs.ts';
import { explainMissing, resolveId } from '../worker-id.ts';

type Leader = { owner: string; epoch: number } | undefined;

export function explainCommand(context: Context): Command {
  return new Command('explain')
    .summary('show what the manager would do next, and why')
    .description('Show what the manager would do with a worker or pool (dry run).')
    .argument('<id>', 'worker ID, unique ID prefix, or name; pool/NAME for a pool')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm explain 3f2a\n  $ wm explain pool/jobs')
    .action((ref: string, options: { output: Format }) => {
      const pool = poolIn(ref);
      return pool === undefined ? explain(context, ref, options) : explainPool(context, pool, options);
    });
}

async function explain(context: Context, ref: string, options: { output: Format }): Promise<void> {
  const { out, now } = context;
  const session = await context.session();
  const id = await resolveId(session, ref);
  const leader = await session.leader();
  // Like the manager's view: a worker may have claimed a body that was created for another worker.
  const claimStore = new RedisClaimStore(session.redis, session.settings.cell);
  const specOf = async (worker: string) => (await session.store.load(worker))?.record.desired.spec;
  const ownership = new Ownership();
  ownership.set(await session.store.identity());
  const taking = (runtime: Runtime) =>
    withClaims(withOwnership(runtime, ownership), { claimStore, specOf, now });
  const observed = await observeWorker(id, {
    store: session.store,
    runtimes: await context.runtimes(taking),
    images: undefined,
    limits: getLimits(session.settings),
    now,
    log: { warn: () => {} },
    // An epoch is the time at which the lease was acquired. Without a leader, the next leader counts from its
    // own epoch.
    leadingSince: leader?.epoch ?? now(),
    actionErrors: new Map(),
    // Only the leader has the queue of starts; the position is in the record.
    startAdmission: { request: ({ status }) => (status?.phase === 'queued' ? status.message : undefined) },
  });
  if (!observed) throw await explainMissing(session, id);
  const { observation } = observed;
  const decision = decide(observation);
  await printResult(out, options.output, {
    value: toExplanation(observation, decision, leader),
    names: [`worker/${id}`],
    text: explanation(observation, decision, leader),
  });
}

/** Formats the observation and the decision. Pure. */
export function explanation(observation: Observation, decision: Decision, leader: Leader): string {
  const { now, heartbeat, status } = observation;
  const { desired, generation, spec } = observation.desired;
  const { intents, requeue_after_ms: ms } = decision;
  const same = status && formatStatusLine(status) === formatStatusLine(decision.status);
  const noted = `The recorded status differs. Either the manager has not reconciled since, or it stores an error of the engine, or this command cannot observe everything that the manager can: run it on the manager's machine${leader ? ` (${leader.owner})` : ''} with the manager's settings.`;
  return formatFields([
    ['Worker', `${observation.worker_id}${spec.name ? ` (${spec.name})` : ''}`],
    ['Desired', `${desired}, generation ${generation}; ${spec.runtime}, restart ${spec.restart_policy}`],
    ['Body', bodyLine(observation)],
    [
      'Heartbeat',
      heartbeat
        ? `${heartbeat.phase}${heartbeat.busy ? ', busy' : ''}, incarnation ${heartbeat.incarnation}, ${formatAgeSince(heartbeat.at, now)} ago`
        : 'none',
    ],
    ['Recorded', status ? formatStatusLine(status) : 'nothing yet'],
    ['Rule', ruleLine(decision, formatState(observation.memo?.value))],
    ['Decision', formatStatusLine(decision.status)],
    ['Differs', status && !same ? noted : undefined],
    ['Actions', intents.length > 0 ? intents.map(describeIntent).join(', then ') : 'nothing'],
    [
      'Next check',
      ms === undefined ? 'when something changes' : `in ${formatAge(ms)}, or when something changes`,
    ],
    [
      'Manager',
      leader
        ? `${leader.owner} has led for ${formatAgeSince(new Date(leader.epoch).toISOString(), now)}`
        : 'none leads, so nothing happens until one does; start it with `wm serve`',
    ],
  ]);
}

function bodyLine({ actual, now }: Observation): string {
  if (actual.kind === 'absent') return 'none';
  if (actual.kind === 'unknown') return `cannot be observed: ${actual.error}`;
  if (actual.kind === 'ambiguous') return `more than one: ${actual.ids.map(shortId).join(', ')}`;
  const { body } = actual;
  const words = [
    `${shortId(body.id)} on ${body.runtime}`,
    `incarnation ${body.incarnation}`,
    `${body.state}${body.paused ? ' (paused)' : ''} ${formatAge(now - since(body))}`,
    body.exit_code === undefined ? undefined : `exit code ${body.exit_code}`,
    body.oom_killed ? 'killed because it exceeded its memory limit' : undefined,
    body.error,
    body.ip_address,
    body.pid === undefined ? undefined : `pid ${body.pid}`,
  ];
  return words.filter(Boolean).join(', ');
}

/** The rule of the state machine that applied. `otherwise` is the rule for "no other rule of this state applies". */
function ruleLine({ rule, intents }: Decision, state: string): string {
  if (rule !== 'otherwise') return `"${rule}" in ${state}`;
  return `no rule of ${state} applies, so ${intents.length > 0 ? 'the next step follows' : 'nothing changes'}`;
}

/** The state whose rules were checked, named as in the machine's diagram. */
function formatState(value: unknown): string {
  if (typeof value === 'string') return value;
  const [top, child] = Object.entries((value ?? {}) as Record<string, string>)[0] ?? [];
  return top ? `${top}.${child}` : 'a state that is not recorded yet';
}

const since = (body: Body) =>
  (body.state === 'exited' ? body.finished_at : body.state === 'running' ? body.started_at : undefined) ??
  body.created_at;

function formatStatusLine({ status, phase, reason, message, incarnation, restarts }: StatusRecord): string {
  const why = [reason, message].filter(Boolean).join(': ');
  return `${status} (${phase}), incarnation ${incarnation}, ${restarts} restarts${why ? `; ${why}` : ''}`;
}
