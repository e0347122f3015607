/** One worker: its state, what can be done with it, and a tab for each kind of information about it. */
import { useEffect } from 'preact/hooks';
import { ManagerError } from '../../src/client/errors.ts';
import type { WorkerInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { useStore } from '../live/store.ts';
import { useCell } from '../model.ts';
import { Code, Empty, Facts, Foreign, Problem, Status, useNow } from '../parts/basics.tsx';
import { type Tab, Tabs } from '../parts/tabs.tsx';
import { formatBytes, formatTime, formatTimeSince } from '../parts/text.ts';
import { replaceQuery, toHref, useRoute } from '../router.ts';
import { TerminalView } from '../terminal/terminal-view.tsx';
import { EventTable } from '../views/event-table.tsx';
import { useUsage } from '../workers/usage.ts';
import { CheckpointsView } from './checkpoints-view.tsx';
import { DockerfileView } from './dockerfile-view.tsx';
import { ExplainView } from './explain-view.tsx';
import { FilesView } from './files-view.tsx';
import { LifeView } from './life-view.tsx';
import { OutputView } from './output-view.tsx';
import { PortsView } from './ports-view.tsx';
import { useHistory } from './use-history.ts';
import { WorkerActions } from './worker-actions.tsx';

const TABS: readonly Tab[] = [
  { id: 'output', name: 'Output' },
  { id: 'life', name: 'Life' },
  { id: 'events', name: 'Events' },
  { id: 'terminal', name: 'Terminal' },
  { id: 'files', name: 'Files' },
  { id: 'checkpoints', name: 'Checkpoints' },
  { id: 'ports', name: 'Ports' },
  { id: 'explain', name: 'Explain' },
  { id: 'spec', name: 'Spec' },
  { id: 'dockerfile', name: 'Dockerfile' },
];

export function OneWorkerView({ id }: { id: string }) {
  const { cell } = useCell();
  const { workers } = useStore(cell.list);
  const listed = workers.get(id);
  // By name, or before the list is complete, or after it was deleted.
  const read = usePoll(`worker ${id}`, listed ? undefined : 2000, (signal) => readWorker(id, signal));
  const worker = listed ?? (read.value ? (workers.get(read.value.worker_id) ?? read.value) : undefined);
  useEffect(() => {
    document.title = worker ? `${worker.name ?? worker.worker_id} · worker-manager` : 'worker-manager';
    return () => {
      document.title = 'worker-manager';
    };
  }, [worker]);

  return (
    <section class="view fill" aria-labelledby="view-title">
      <nav class="crumbs" aria-label="Position">
        <a href={toHref('workers')}>Workers</a> <span aria-hidden="true">/</span>
      </nav>
      {worker ? (
        <WorkerPage worker={worker} />
      ) : (
        <>
          <h1 id="view-title">
            <Foreign text={id} />
          </h1>
          {read.value === null ? (
            <Empty>There is no such worker. It may have been deleted.</Empty>
          ) : (
            <Empty>Loading …</Empty>
          )}
          <Problem text={read.error} />
        </>
      )}
    </section>
  );
}

/** `null` if there is no such worker. */
async function readWorker(id: string, signal: AbortSignal): Promise<WorkerInfo | null> {
  try {
    return await api.getWorker(id, { signal });
  } catch (error) {
    if (error instanceof ManagerError && error.status === 404) return null;
    throw error;
  }
}

function WorkerPage({ worker }: { worker: WorkerInfo }) {
  const { query } = useRoute();
  const chosen = TABS.find(({ id }) => id === query.get('tab'))?.id ?? 'output';
  const ended = worker.status === 'STOPPED' || worker.status === 'FAILED';
  return (
    <>
      <Head worker={worker} ended={ended} />
      <Tabs
        label="About this worker"
        tabs={TABS}
        chosen={chosen}
        onChoose={(tab) => replaceQuery({ tab: tab === 'output' ? '' : tab, pty: '' })}
      >
        {chosen === 'output' && <OutputView key={worker.worker_id} worker={worker} ended={ended} />}
        {(chosen === 'life' || chosen === 'events') && <History worker={worker} ended={ended} as={chosen} />}
        {chosen === 'files' && <FilesView key={worker.worker_id} worker={worker} ended={ended} />}
        {chosen === 'terminal' && <TerminalView key={worker.worker_id} worker={worker} ended={ended} />}
        {chosen === 'checkpoints' && <CheckpointsView key={worker.worker_id} worker={worker} ended={ended} />}
        {chosen === 'ports' && <PortsView key={worker.worker_id} worker={worker} ended={ended} />}
        {chosen === 'explain' && <ExplainView worker={worker} />}
        {chosen === 'spec' && <Spec id={worker.worker_id} />}
        {chosen === 'dockerfile' && <DockerfileView worker={worker} />}
      </Tabs>
    </>
  );
}

function Head({ worker, ended }: { worker: WorkerInfo; ended: boolean }) {
  const now = useNow();
  const usage = useUsage(1).get(worker.worker_id);
  const { worker_id, name, status, phase, reason, message, pool } = worker;
  const since = ended ? worker.finished_at : (worker.running_at ?? worker.started_at);
  const labels = Object.entries(worker.labels);
  return (
    <header class="worker-head">
      <div class="view-head">
        <h1 id="view-title">
          <Foreign text={name ?? worker_id} />
        </h1>
        <Status status={status} phase={phase === status.toLowerCase() ? '' : phase} />
        {since && <span class="dim">{`for ${formatTimeSince(since, now)}`}</span>}
        <span class="grow" />
        <WorkerActions worker={worker} ended={ended} />
      </div>
      {(reason || message) && (
        <p class={`why ${status === 'FAILED' ? 'bad' : ''}`}>
          {reason && <strong>{reason}</strong>} <Foreign text={message} />
        </p>
      )}
      <Facts
        facts={[
          ['ID', <code>{worker_id}</code>],
          ['Type', worker.agent_type],
          ['Runtime', worker.runtime],
          [
            'Pool',
            pool && (
              <a href={toHref('pools')}>
                <Foreign text={pool} />
              </a>
            ),
          ],
          [
            'Incarnation',
            `${worker.incarnation}${worker.restarts > 0 ? `, ${worker.restarts} restarts` : ''}`,
          ],
          ['CPU', typeof usage?.cpu_percent === 'number' ? `${usage.cpu_percent.toFixed(1)} %` : ''],
          ['Memory', formatBytes(usage?.memory_bytes)],
          ['Address', worker.ip_address],
          [
            'Image',
            worker.image && (
              <code>
                <Foreign text={worker.image} />
              </code>
            ),
          ],
          ['Created', formatTime(worker.created_at)],
          ['Ended', formatTime(worker.finished_at)],
          ['Next try', formatTime(worker.next_retry_at)],
          ['Exit code', worker.exit_code === null ? '' : String(worker.exit_code)],
          ['Desired', worker.desired === 'running' ? '' : worker.desired],
          [
            'Labels',
            labels.length > 0 && (
              <Foreign text={labels.map(([key, value]) => `${key}=${value}`).join(', ')} />
            ),
          ],
        ]}
      />
    </header>
  );
}

function History({ worker, ended, as }: { worker: WorkerInfo; ended: boolean; as: 'life' | 'events' }) {
  const { events, error } = useHistory(worker.worker_id);
  return (
    <>
      <Problem text={error} />
      {as === 'life' ? <LifeView events={events} ended={ended} /> : <EventTable events={events} />}
    </>
  );
}

function Spec({ id }: { id: string }) {
  const { value, error } = usePoll(`spec ${id}`, undefined, (signal) => api.getWorkerSpec(id, { signal }));
  return (
    <>
      <Problem text={error} />
      {value && <Code value={value} label="Spec" />}
    </>
  );
}
