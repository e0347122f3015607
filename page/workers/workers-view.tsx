/** All workers of the cell, with a filter, an order and groups, which are part of the address. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useStore } from '../live/store.ts';
import { useCell } from '../model.ts';
import { Empty, Problem } from '../parts/basics.tsx';
import { formatNumber } from '../parts/text.ts';
import { replaceQuery, useRoute } from '../router.ts';
import { CreateWorker } from './create-worker.tsx';
import { useUsage } from './usage.ts';
import {
  filterWorkers,
  GROUP_KEYS,
  type GroupKey,
  groupWorkers,
  SORT_KEYS,
  type SortKey,
  sortWorkers,
} from './worker-rows.ts';
import { WorkerTable } from './worker-table.tsx';

const STATUSES = ['FAILED', 'STARTING', 'RUNNING', 'STOPPED'] as const;
const GROUP_NAMES: Record<GroupKey, string> = {
  none: 'No groups',
  status: 'By status',
  pool: 'By pool',
  type: 'By type',
  runtime: 'By runtime',
};

export function WorkersView() {
  const { cell } = useCell();
  const { workers, complete } = useStore(cell.list);
  const error = useStore(cell.error);
  const { query } = useRoute();
  const [filter, setFilter] = useState(query.get('filter') ?? '');
  const status = query.get('status') ?? '';
  const group = toKey(GROUP_KEYS, query.get('group')) ?? 'none';
  const key = toKey(SORT_KEYS, query.get('sort')) ?? 'age';
  const descending = query.get('down') === '1';
  const [creating, setCreating] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const usage = useUsage(workers.size);

  // The usage changes the order only if it is what is sorted by.
  const weights = key === 'cpu' || key === 'memory' ? usage : undefined;
  const sorted = useMemo(
    () => sortWorkers([...workers.values()], { key, descending }, weights ?? new Map()),
    [workers, key, descending, weights],
  );
  const found = useMemo(() => filterWorkers(sorted, filter), [sorted, filter]);
  const rows = useMemo(
    () => groupWorkers(status ? found.filter((worker) => worker.status === status) : found, group),
    [found, status, group],
  );
  const counts = useMemo(() => {
    const result: Record<string, number> = {};
    for (const worker of found) result[worker.status] = (result[worker.status] ?? 0) + 1;
    return result;
  }, [found]);

  useEffect(() => {
    const timer = setTimeout(() => replaceQuery({ filter }), 300);
    return () => clearTimeout(timer);
  }, [filter]);
  useLayoutEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener('keydown', focus);
    return () => document.removeEventListener('keydown', focus);
  }, []);

  const choose = (value: string) => replaceQuery({ status: value === status ? '' : value });
  return (
    <section class="view fill" aria-labelledby="view-title">
      <div class="view-head">
        <h1 id="view-title">Workers</h1>
        <span class="grow" />
        <button type="button" class="primary" onClick={() => setCreating(true)}>
          New worker
        </button>
      </div>
      <div class="toolbar">
        <input
          ref={input}
          type="search"
          class="filter"
          aria-label="Filter workers"
          aria-keyshortcuts="/"
          placeholder="Filter: words, pool:text, reason:OOM, label:team=blue, -word   ( / )"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && setFilter('')}
        />
        <fieldset class="chips">
          <legend class="hidden">Status</legend>
          <button type="button" aria-pressed={status === ''} onClick={() => choose('')}>
            All <span class="count">{formatNumber(found.length)}</span>
          </button>
          {STATUSES.map((one) => (
            <button key={one} type="button" aria-pressed={status === one} onClick={() => choose(one)}>
              <span class={`status status-${one.toLowerCase()}`}>
                <span class="shape" aria-hidden="true" />
                {one}
              </span>{' '}
              <span class="count">{formatNumber(counts[one] ?? 0)}</span>
            </button>
          ))}
        </fieldset>
        <select
          aria-label="Group workers"
          value={group}
          onChange={({ currentTarget: { value } }) => replaceQuery({ group: value === 'none' ? '' : value })}
        >
          {GROUP_KEYS.map((one) => (
            <option key={one} value={one}>
              {GROUP_NAMES[one]}
            </option>
          ))}
        </select>
        <select
          class="narrow-only"
          aria-label="Sort workers"
          value={key}
          onChange={({ currentTarget: { value } }) => replaceQuery({ sort: value, down: '' })}
        >
          {SORT_KEYS.map((one) => (
            <option key={one} value={one}>
              Sort by {one}
            </option>
          ))}
        </select>
      </div>
      <Problem text={error} />
      <p class="hidden" role="status">
        {complete ? `${rows.length} rows` : 'Loading workers'}
      </p>
      {rows.length > 0 ? (
        <WorkerTable
          rows={rows}
          usage={usage}
          order={{ key, descending }}
          onOrder={(order) => replaceQuery({ sort: order.key, down: order.descending ? '1' : '' })}
        />
      ) : (
        <Empty>
          {!complete
            ? 'Loading workers …'
            : workers.size > 0
              ? 'No worker matches the filter.'
              : 'There are no workers yet. Create one here, or with: wm create'}
        </Empty>
      )}
      {creating && <CreateWorker onClose={() => setCreating(false)} />}
    </section>
  );
}

const toKey = <K extends GroupKey | SortKey>(keys: readonly K[], text: string | null): K | undefined =>
  keys.find((key) => key === text);

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null;
