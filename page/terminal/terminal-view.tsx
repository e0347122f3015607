/** The terminals of a worker: open one, view it, leave it, and view it again. The one that is shown is part of the address. */
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { TerminalInfo, WorkerInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { notice, perform } from '../model.ts';
import { Empty, Foreign, Problem, useNow } from '../parts/basics.tsx';
import { describeError, formatTimeSince } from '../parts/text.ts';
import { replaceQuery, useRoute } from '../router.ts';

const EVERY_MS = 5000;

type Pane = FunctionComponent<{ workerId: string; ptyId: string; onLeave: () => void; onEnd: () => void }>;

export function TerminalView({ worker, ended }: { worker: WorkerInfo; ended: boolean }) {
  const { worker_id, incarnation } = worker;
  const shown = useRoute().query.get('pty') ?? undefined;
  const { value, error, refresh } = usePoll(
    `terminals ${worker_id} ${incarnation}`,
    ended ? undefined : EVERY_MS,
    (signal) => api.listTerminals(worker_id, { signal }),
  );
  if (ended && shown === undefined) return <Empty>Terminals can be opened while the worker runs.</Empty>;

  const show = (ptyId: string | undefined) => {
    replaceQuery({ pty: ptyId ?? '' });
    refresh();
  };
  const open = async () => {
    try {
      show((await api.openTerminal(worker_id, {}, {})).pty_id);
    } catch (thrown) {
      notice.set({ text: describeError(thrown), failed: true });
    }
  };
  const close = async (ptyId: string) => {
    await perform('Closed the terminal.', () => api.closeTerminal(worker_id, ptyId, {}));
    show(undefined);
  };

  if (shown !== undefined) {
    const info = value?.find(({ pty_id }) => pty_id === shown);
    return (
      <div class="terminals">
        <div class="view-head">
          <h2>
            <Foreign text={info?.command.join(' ') ?? 'Terminal'} />
          </h2>
          <span class="grow" />
          <button type="button" onClick={() => show(undefined)}>
            All terminals
          </button>
          {info?.status === 'running' && (
            <button type="button" class="danger" onClick={() => void close(shown)}>
              Close terminal
            </button>
          )}
        </div>
        <p class="dim">
          <kbd>Ctrl</kbd> <kbd>Shift</kbd> <kbd>L</kbd> moves the focus out of the terminal, which gets all
          other keys. The program runs on if you leave.
        </p>
        <LazyPane key={shown} workerId={worker_id} ptyId={shown} onEnd={refresh} onLeave={focusTab} />
      </div>
    );
  }
  const running = value?.filter(({ status }) => status === 'running') ?? [];
  return (
    <div class="terminals">
      <div class="view-head">
        <span class="dim">A terminal without viewers is closed after ten minutes.</span>
        <span class="grow" />
        <button type="button" class="primary" onClick={() => void open()}>
          New terminal
        </button>
      </div>
      <Problem text={error} />
      {value && running.length === 0 && <Empty>No terminal is open.</Empty>}
      {running.length > 0 && <Running terminals={running} onView={show} />}
    </div>
  );
}

const focusTab = () => document.getElementById('tab-terminal')?.focus();

function Running({ terminals, onView }: { terminals: TerminalInfo[]; onView: (ptyId: string) => void }) {
  const now = useNow(10_000);
  return (
    <div class="scroll-x">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Program</th>
            <th scope="col">Directory</th>
            <th scope="col" class="number">
              Viewers
            </th>
            <th scope="col" class="number">
              Opened
            </th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {terminals.map(({ pty_id, command, cwd, pid, viewers, started_at }) => (
            <tr key={pty_id}>
              <td>
                <code>
                  <Foreign text={command.join(' ')} />
                </code>
              </td>
              <td>
                <code>
                  <Foreign text={cwd} />
                </code>
              </td>
              <td class="number">{viewers}</td>
              <td class="number">{formatTimeSince(started_at, now)} ago</td>
              <td>
                <button
                  type="button"
                  aria-label={`View the terminal with process ${pid}`}
                  onClick={() => onView(pty_id)}
                >
                  View
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The pane with xterm.js is a file of its own, because most visits need none. */
function LazyPane(props: Parameters<Pane>[0]) {
  const [pane, setPane] = useState<{ Pane: Pane }>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    import('./terminal-pane.tsx').then(
      (module) => setPane({ Pane: module.default }),
      (thrown) => setError(`The terminal could not be loaded; reload the page. ${describeError(thrown)}`),
    );
  }, []);
  if (error !== undefined) return <Problem text={error} />;
  return pane ? <pane.Pane {...props} /> : <Empty>Loading …</Empty>;
}
