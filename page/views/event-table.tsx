/** Events as a table, newest first. */
import type { WorkerEvent } from '../../src/client/types.ts';
import { Empty, Foreign, Status } from '../parts/basics.tsx';
import { formatTime, toShortId } from '../parts/text.ts';
import { toHref } from '../router.ts';

export function EventTable({
  events,
  nameOf,
}: {
  events: readonly WorkerEvent[];
  /** With the workers' names, if the events are of several. */
  nameOf?: (id: string) => string | null;
}) {
  if (events.length === 0) return <Empty>No events yet.</Empty>;
  return (
    <div class="scroll-x">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Time</th>
            {nameOf && <th scope="col">Worker</th>}
            <th scope="col">State</th>
            <th scope="col">Reason</th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {events
            .toReversed()
            .map(({ id, worker_id, timestamp, status, phase, reason, message, actions }) => (
              <tr key={id}>
                <td class="time">{formatTime(timestamp)}</td>
                {nameOf && (
                  <td>
                    {worker_id && (
                      <a href={toHref('workers', worker_id)}>
                        <Foreign text={nameOf(worker_id) ?? toShortId(worker_id)} />
                      </a>
                    )}
                  </td>
                )}
                <td>
                  <Status status={status} phase={phase === status.toLowerCase() ? '' : phase} />
                </td>
                <td>
                  <Foreign text={[reason, message].filter(Boolean).join(': ')} />
                </td>
                <td class="dim">
                  <Foreign text={(actions ?? []).join('; ')} />
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
