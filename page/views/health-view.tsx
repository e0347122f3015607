/** The health of the manager that serves this page, and the cell in numbers. */
import { readHealth } from '../live/health.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { Facts, Foreign, Problem } from '../parts/basics.tsx';
import { formatBytes, formatNumber } from '../parts/text.ts';

const EVERY_MS = 3000;

export function HealthView() {
  const health = usePoll('health', EVERY_MS, (signal) => readHealth(signal));
  const stats = usePoll('stats', EVERY_MS, (signal) => api.getStats({ signal }));
  const { workers, tasks } = stats.value ?? {};
  return (
    <section class="view" aria-labelledby="view-title">
      <div class="view-head">
        <h1 id="view-title">Health</h1>
        {health.value && (
          <span class={`verdict ${health.value.status === 'ok' ? 'good' : 'bad'}`}>
            {health.value.status === 'ok' ? 'Ready' : 'Not ready'}
          </span>
        )}
      </div>
      <Problem text={health.error ?? stats.error} />
      {health.value && (
        <div class="scroll-x">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Check</th>
                <th scope="col">Result</th>
                <th scope="col">Detail</th>
              </tr>
            </thead>
            <tbody>
              {Object.entries(health.value.checks).map(([name, { ok, message }]) => (
                <tr key={name}>
                  <td>{name.replaceAll('_', ' ')}</td>
                  <td>
                    <span class={`verdict ${ok ? 'good' : 'bad'}`}>{ok ? 'OK' : 'Problem'}</span>
                  </td>
                  <td>
                    <Foreign text={message} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {workers && tasks && (
        <>
          <h2>The cell in numbers</h2>
          <Facts
            facts={[
              ['Workers', formatNumber(workers.total)],
              ...Object.entries(workers.by_status).map(([name, count]): [string, string] => [
                name,
                formatNumber(count),
              ]),
              ['CPU', `${(workers.cpu_percent / 100).toFixed(2)} cores`],
              ['Memory', formatBytes(workers.memory_bytes)],
              ['Queued tasks', formatNumber(tasks.queued)],
              ['Running tasks', formatNumber(tasks.active)],
              ['Failed tasks', formatNumber(tasks.failed)],
            ]}
          />
        </>
      )}
    </section>
  );
}
