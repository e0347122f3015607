/** `--filter` of verbs that select workers. Pure. */
import { hasEnded, type Summary, WORKER_STATUSES } from '../../model/index.ts';
import { usageError } from '../exit.ts';

const FILTERS = ['status', 'label', 'name', 'pool', 'type'];
/** Help text of the option. */
export const FILTER_HELP =
  'status=FAILED, label=NAME or label=NAME=VALUE, name=NAME, pool=NAME, type=CLAUDE; repeatable';

/**
 * Like docker's filters: values of the same key are alternatives, different keys must all match. A status filter
 * includes ended workers.
 */
export function parseFilter(filters: string[], all: boolean): (worker: Summary) => boolean {
  const byKey = new Map<string, string[]>();
  for (const text of filters) {
    const at = text.indexOf('=');
    const key = text.slice(0, at);
    const value = text.slice(at + 1);
    if (!FILTERS.includes(key) || value === '')
      throw usageError(`Unknown filter ${text}. Use ${FILTERS.map((name) => `${name}=…`).join(', ')}.`);
    if (key === 'status' && !(WORKER_STATUSES as readonly string[]).includes(value.toUpperCase()))
      throw usageError(`Unknown status ${value}. Use one of ${WORKER_STATUSES.join(', ')}.`);
    byKey.set(key, [...(byKey.get(key) ?? []), value]);
  }
  return (worker) =>
    (all || byKey.has('status') || !hasEnded(worker.status)) &&
    [...byKey].every(([key, values]) =>
      values[key === 'label' ? 'every' : 'some']((value) => has(worker, key, value)),
    );
}

function has(worker: Summary, key: string, value: string): boolean {
  if (key === 'status') return worker.status === value.toUpperCase();
  if (key === 'name') return worker.name === value;
  if (key === 'pool') return worker.pool === value;
  if (key === 'type') return worker.agent_type === value.toUpperCase();
  const at = value.indexOf('=');
  const [name, wanted] = at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
  const found = worker.labels?.[name];
  return found !== undefined && (wanted === undefined || found === wanted);
}
