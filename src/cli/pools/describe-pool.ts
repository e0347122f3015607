/** `wm describe pool/NAME`. */
import { type PoolEvent, PoolStore } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { poolEventLine } from '../logs/events.ts';
import { createMissingPool } from '../missing-pool.ts';
import { formatSection, toPairs } from '../print/fields.ts';
import { hideEnv } from '../print/hide-env.ts';
import { printResult } from '../print/listing.ts';
import type { Format } from '../print/output.ts';
import { formatFields, formatTable } from '../print/table.ts';
import { formatAgeSince, shortId } from '../print/text.ts';

/** Number of history lines to show. */
const EVENTS = 10;
const COLUMNS = ['WORKER', 'STATUS', 'PHASE', 'RESTARTS', 'AGE', 'REASON'];

export async function describePool(context: Context, name: string, output: Format): Promise<void> {
  const { now } = context;
  const session = await context.session();
  const { redis, settings, store } = session;
  const read = await new PoolStore(redis, settings.cell).load(name);
  if (!read) throw createMissingPool(name);
  const { pool, status } = read;
  const { events: key, members } = store.keys.pools;
  const ids = new Set(await redis.hkeys(members(name)));
  const workers = (await store.summaries()).filter(({ worker_id }) => ids.has(worker_id));
  const events: PoolEvent[] = [];
  for await (const { data } of session.lines(key(name), await session.before(key(name), EVENTS)))
    events.push(data as PoolEvent);
  const { desired, generation, created_at, request_id } = pool;
  const spec = hideEnv(pool.spec);
  const rows = workers.map((worker) => [
    shortId(worker.worker_id),
    worker.status,
    worker.phase,
    worker.restarts,
    formatAgeSince(worker.created_at, now()),
    worker.reason,
  ]);
  const text = [
    formatFields([
      ['Pool', name],
      ['Desired', `${desired} (generation ${generation})`],
      ['Created', `${created_at} (${formatAgeSince(created_at, now())} ago) by request ${request_id}`],
    ]),
    formatSection('Spec', formatFields(toPairs(spec))),
    formatSection('Status', status ? formatFields(toPairs(status)) : 'not reconciled yet'),
    formatSection('Workers', rows.length > 0 ? formatTable(COLUMNS, rows, context.out.columns) : 'none'),
    formatSection('Events', events.map((event) => poolEventLine(event)).join('\n') || 'none yet'),
  ].join('\n\n');
  const value = { name, desired, generation, created_at, request_id, spec, status: status ?? null };
  await printResult(context.out, output, {
    value: { ...value, workers, events },
    names: [`pool/${name}`],
    text,
  });
}
