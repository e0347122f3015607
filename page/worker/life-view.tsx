/** The life of a worker: a row for each state, and time from left to right. The table below has the same as text. */
import type { WorkerEvent } from '../../src/client/types.ts';
import { Empty, Foreign, Status, useNow } from '../parts/basics.tsx';
import { formatDuration, formatTime } from '../parts/text.ts';
import { LIFE_STATES, type LifeStep, layOut, toLane, toLifeSteps } from './life-states.ts';

/** Steps that fit on the chart. */
const SHOWN = 40;

export function LifeView({ events, ended }: { events: readonly WorkerEvent[]; ended: boolean }) {
  const now = useNow();
  const all = toLifeSteps(events);
  const steps = all.slice(-SHOWN);
  if (steps.length === 0) return <Empty>No events yet.</Empty>;
  const places = layOut(steps, now);
  const lengthOf = ({ from, until }: LifeStep) => {
    if (until === undefined && ended) return '';
    return formatDuration((until ?? now) - from);
  };
  return (
    <div class="life">
      <div class="lanes" aria-hidden="true">
        {LIFE_STATES.map(([status, phases]) => (
          <div class="lane-group" key={status}>
            {phases.map((phase) => {
              const lane = phases.length > 1 ? `${status} ${phase}` : status;
              const used = steps.some((step) => toLane(step.status, step.phase) === lane);
              return (
                <div class={`lane ${used ? 'used' : ''}`} key={lane}>
                  <span class="lane-name">
                    <span class="lane-status">{status}</span> {phases.length > 1 ? phase : ''}
                  </span>
                  <span class="lane-track">
                    {steps.map((step, at) => {
                      const place = places[at];
                      if (!place || toLane(step.status, step.phase) !== lane) return null;
                      const last = at === steps.length - 1;
                      return (
                        <span
                          key={step.event.id}
                          class={`bar bar-${step.status.toLowerCase()} ${last ? 'now' : ''}`}
                          style={{ left: `${place.left}%`, width: `${place.width}%` }}
                          title={`${step.status} ${step.phase}, ${lengthOf(step)}`}
                        >
                          <span>{lengthOf(step)}</span>
                        </span>
                      );
                    })}
                  </span>
                </div>
              );
            })}
          </div>
        ))}
      </div>
      {all.length > steps.length && (
        <p class="dim">
          The last {SHOWN} steps of {all.length}.
        </p>
      )}
      <div class="scroll-x">
        <table class="plain">
          <caption class="hidden">Steps of its life, newest first</caption>
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Since</th>
              <th scope="col" class="number">
                For
              </th>
              <th scope="col" class="number">
                Incarnation
              </th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {all.toReversed().map((step) => (
              <tr key={step.event.id}>
                <td>
                  <Status status={step.status as 'RUNNING'} phase={step.phase} />
                </td>
                <td>{formatTime(step.event.timestamp)}</td>
                <td class="number">{lengthOf(step)}</td>
                <td class="number">{step.incarnation}</td>
                <td>
                  <Foreign text={[step.event.reason, step.event.message].filter(Boolean).join(': ')} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
