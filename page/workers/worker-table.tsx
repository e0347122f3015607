/** The table of workers: rows of one height, of which only those in view exist. Arrow keys move between them. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { WorkerInfo } from '../../src/client/types.ts';
import { Foreign, Status, useNow } from '../parts/basics.tsx';
import { useNarrow } from '../parts/media.ts';
import { formatBytes, formatNumber, formatTimeSince, toShortId } from '../parts/text.ts';
import { useRowWindow } from '../parts/virtual.ts';
import { toHref } from '../router.ts';
import type { SortKey, TableRow, UsageById, WorkerOrder } from './worker-rows.ts';

/** As in the style sheet. */
const HEIGHT = 30;
const NARROW_HEIGHT = 56;

const COLUMNS: { name: string; key: SortKey | undefined; area: string }[] = [
  { name: 'Status', key: 'status', area: 'status' },
  { name: 'Name', key: 'name', area: 'name' },
  { name: 'Reason', key: 'reason', area: 'reason' },
  { name: 'Type', key: undefined, area: 'type' },
  { name: 'Pool', key: undefined, area: 'pool' },
  { name: 'CPU', key: 'cpu', area: 'cpu' },
  { name: 'Memory', key: 'memory', area: 'memory' },
  { name: 'Age', key: 'age', area: 'age' },
  { name: 'Image', key: 'image', area: 'image' },
];
/** What is interesting first. */
const DESCENDING: SortKey[] = ['cpu', 'memory'];

export function WorkerTable({
  rows,
  usage,
  order,
  onOrder,
}: {
  rows: readonly TableRow[];
  usage: UsageById;
  order: WorkerOrder;
  onOrder: (order: WorkerOrder) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const height = narrow ? NARROW_HEIGHT : HEIGHT;
  const { first, end } = useRowWindow(scroller, { count: rows.length, height });
  const [active, setActive] = useState<string>();
  const moved = useRef(false);
  const now = useNow(5000);
  const found = rows.findIndex(({ key }) => key === active);
  const activeAt = found >= 0 ? found : rows.findIndex(({ kind }) => kind === 'worker');

  useEffect(() => {
    if (!moved.current) return;
    // After a long way, its row is rendered with the next frame only.
    const link = scroller.current?.querySelector<HTMLElement>('a[tabindex="0"]');
    if (!link) return;
    moved.current = false;
    link.focus({ preventScroll: true });
  });

  const move = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 2);
    const step = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -rows.length,
      End: rows.length,
    }[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    let at = Math.min(rows.length - 1, Math.max(0, activeAt + step));
    if (rows[at]?.kind === 'group') at += step > 0 || at === 0 ? 1 : -1;
    const row = rows[at];
    if (row?.kind !== 'worker') return;
    moved.current = true;
    setActive(row.key);
    scrollIntoView(scroller.current, at, height);
  };

  return (
    <div class="table-scroll" ref={scroller} onKeyDown={move}>
      <div class="table workers" role="table" aria-label="Workers" aria-rowcount={rows.length + 1}>
        <div class="head" role="rowgroup">
          <div class="row" role="row" aria-rowindex={1}>
            {COLUMNS.map(({ name, key, area }) => (
              <HeadCell key={area} name={name} area={area} sortKey={key} order={order} onOrder={onOrder} />
            ))}
          </div>
        </div>
        <div role="rowgroup" class="body" style={{ height: `${rows.length * height}px` }}>
          <div class="window" style={{ transform: `translateY(${first * height}px)` }}>
            {rows.slice(first, end).map((row, at) =>
              row.kind === 'group' ? (
                <div key={row.key} class="row group" role="row" aria-rowindex={first + at + 2}>
                  <span role="cell">
                    <Foreign text={row.name} /> <span class="count">{formatNumber(row.count)}</span>
                  </span>
                </div>
              ) : (
                <WorkerRow
                  key={row.key}
                  worker={row.worker}
                  usage={usage}
                  now={now}
                  index={first + at + 2}
                  active={first + at === activeAt}
                  onFocus={setActive}
                />
              ),
            )}
          </div>
        </div>
      </div>
    </div>
  );
}

function HeadCell({
  name,
  area,
  sortKey,
  order,
  onOrder,
}: {
  name: string;
  area: string;
  sortKey: SortKey | undefined;
  order: WorkerOrder;
  onOrder: (order: WorkerOrder) => void;
}) {
  const sorted = sortKey !== undefined && order.key === sortKey;
  const direction = order.descending ? 'descending' : 'ascending';
  const turn = () => {
    if (sortKey === undefined) return;
    onOrder({ key: sortKey, descending: sorted ? !order.descending : DESCENDING.includes(sortKey) });
  };
  return (
    <span role="columnheader" class={`c-${area}`} {...(sorted && { 'aria-sort': direction })}>
      {sortKey === undefined ? (
        name
      ) : (
        <button type="button" class="sort" onClick={turn}>
          {name}
          <span class="arrow" aria-hidden="true">
            {sorted ? (order.descending ? '↓' : '↑') : ''}
          </span>
        </button>
      )}
    </span>
  );
}

function WorkerRow({
  worker,
  usage,
  now,
  index,
  active,
  onFocus,
}: {
  worker: WorkerInfo;
  usage: UsageById;
  now: number;
  index: number;
  active: boolean;
  onFocus: (id: string) => void;
}) {
  const { worker_id, name, status, phase, reason, message, agent_type, runtime, pool, image } = worker;
  const { cpu_percent = null, memory_bytes = null } = usage.get(worker_id) ?? {};
  return (
    <div class="row" role="row" aria-rowindex={index} data-worker={worker_id}>
      <span role="cell" class="c-status">
        <Status status={status} phase={phase === status.toLowerCase() ? '' : phase} />
      </span>
      <span role="cell" class="c-name">
        <a href={toHref('workers', worker_id)} tabIndex={active ? 0 : -1} onFocus={() => onFocus(worker_id)}>
          {name !== null && <Foreign text={name} title />} <code>{toShortId(worker_id)}</code>
        </a>
      </span>
      <span role="cell" class="c-reason">
        <Foreign
          text={reason && message ? `${reason}: ${message}` : reason || (status === 'FAILED' ? message : '')}
          title
        />
      </span>
      <span role="cell" class="c-type">
        {agent_type}
        {runtime && <span class="dim"> {runtime}</span>}
      </span>
      <span role="cell" class="c-pool">
        {pool && <Foreign text={pool} title />}
      </span>
      <span role="cell" class="c-cpu">
        {cpu_percent === null ? '' : `${cpu_percent.toFixed(cpu_percent < 10 ? 1 : 0)} %`}
      </span>
      <span role="cell" class="c-memory">
        {formatBytes(memory_bytes)}
      </span>
      <span role="cell" class="c-age">
        {formatTimeSince(worker.created_at, now)}
      </span>
      <span role="cell" class="c-image">
        {image && <Foreign text={image} title />}
      </span>
    </div>
  );
}

/** Below the head, which covers the top of the view. */
function scrollIntoView(element: HTMLElement | null, at: number, height: number): void {
  if (!element) return;
  const [top, bottom] = [at * height, (at + 2) * height];
  if (top < element.scrollTop) element.scrollTop = top;
  else if (bottom > element.scrollTop + element.clientHeight)
    element.scrollTop = bottom - element.clientHeight;
}
