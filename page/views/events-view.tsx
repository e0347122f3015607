/** The history of all workers. */
import { useMemo, useState } from 'preact/hooks';
import { useStore } from '../live/store.ts';
import { useCell } from '../model.ts';
import { EventTable } from './event-table.tsx';

/** Rows that are rendered. */
const SHOWN = 500;

export function EventsView() {
  const { cell } = useCell();
  const events = useStore(cell.events);
  const { workers } = useStore(cell.list);
  const [filter, setFilter] = useState('');
  const found = useMemo(() => {
    const word = filter.trim().toLowerCase();
    const text = (event: (typeof events)[number]) =>
      [
        event.worker_id,
        workers.get(event.worker_id)?.name,
        event.status,
        event.phase,
        event.reason,
        event.message,
      ]
        .join('\n')
        .toLowerCase();
    return (word === '' ? events : events.filter((event) => text(event).includes(word))).slice(-SHOWN);
  }, [events, filter, workers]);
  return (
    <section class="view" aria-labelledby="view-title">
      <div class="view-head">
        <h1 id="view-title">Events</h1>
      </div>
      <div class="toolbar">
        <input
          type="search"
          class="filter"
          aria-label="Filter events"
          placeholder="Filter: worker, status, phase, reason"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
      </div>
      <EventTable events={found} nameOf={(id) => workers.get(id)?.name ?? null} />
    </section>
  );
}
