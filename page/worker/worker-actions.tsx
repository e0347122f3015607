/** What can be done with a worker as a whole. */
import { useState } from 'preact/hooks';
import type { WorkerAction } from '../../src/client/transport.ts';
import type { WorkerInfo } from '../../src/client/types.ts';
import { api } from '../live/session.ts';
import { perform, useCell } from '../model.ts';
import { Confirm } from '../parts/dialog.tsx';
import { go, toHref } from '../router.ts';

const DONE: Record<WorkerAction, string> = {
  stop: 'The worker is being stopped.',
  start: 'The worker is being started.',
  restart: 'The worker gets a new body.',
};

export function WorkerActions({ worker, ended }: { worker: WorkerInfo; ended: boolean }) {
  const { cell } = useCell();
  const [asking, setAsking] = useState(false);
  const { worker_id, name, desired } = worker;
  const act = (action: WorkerAction) =>
    perform(DONE[action], async () => cell.put(await api.actOnWorker(worker_id, action, {})));
  const remove = async () => {
    const done = await perform(`Deleted ${name ?? worker_id}.`, () => api.deleteWorker(worker_id, {}));
    cell.touch(worker_id);
    if (done) go(toHref('workers'));
  };
  const stopped = ended || desired === 'stopped';
  return (
    <div class="buttons">
      {stopped ? (
        <button type="button" onClick={() => act('start')}>
          Start
        </button>
      ) : (
        <>
          <button type="button" onClick={() => act('stop')}>
            Stop
          </button>
          <button type="button" onClick={() => act('restart')}>
            Restart
          </button>
        </>
      )}
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        Delete
      </button>
      {asking && (
        <Confirm
          title="Delete this worker?"
          text="Its body ends, and its record, output and history are deleted."
          act="Delete"
          onConfirm={remove}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
