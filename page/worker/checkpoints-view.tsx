/** The checkpoints of a worker: take one, fork the worker from one, download and delete them. */
import { useState } from 'preact/hooks';
import type { CheckpointInfo, WorkerInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { perform } from '../model.ts';
import { Empty, Foreign, Problem, useNow } from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { saveFile } from '../parts/save-file.ts';
import { formatBytes, formatTime, formatTimeSince } from '../parts/text.ts';
import { ForkWorker } from './fork-worker.tsx';

const EVERY_MS = 5000;
const SHOWN = 100;
const TRIGGERS: Record<CheckpointInfo['trigger'], string> = {
  request: 'request',
  turn: 'end of a turn',
  stop: 'end of the agent',
  interval: 'interval',
};

export function CheckpointsView({ worker, ended }: { worker: WorkerInfo; ended: boolean }) {
  const { worker_id } = worker;
  const [taking, setTaking] = useState(false);
  const [forked, setForked] = useState<CheckpointInfo>();
  const [removed, setRemoved] = useState<CheckpointInfo>();
  const { value, error, refresh } = usePoll(`checkpoints ${worker_id}`, EVERY_MS, (signal) =>
    api.listCheckpoints(worker_id, { signal, limit: SHOWN }),
  );
  const take = async () => {
    setTaking(true);
    await perform('Saved a checkpoint.', () => api.createCheckpoint(worker_id, {}));
    setTaking(false);
    refresh();
  };
  const remove = async ({ checkpoint_id }: CheckpointInfo) => {
    await perform('Deleted the checkpoint.', () => api.deleteCheckpoint(checkpoint_id, {}));
    refresh();
  };
  const checkpoints = value?.items ?? [];
  return (
    <div class="checkpoints">
      <div class="view-head">
        <span class="dim">
          A checkpoint is a saved copy of the workspace, from which other workers can start.
        </span>
        <span class="grow" />
        {!ended && (
          <button type="button" class="primary" disabled={taking} onClick={() => void take()}>
            {taking ? 'Saving …' : 'Save a checkpoint'}
          </button>
        )}
      </div>
      <Problem text={error} />
      {value && checkpoints.length === 0 && <Empty>There are no checkpoints of this worker.</Empty>}
      {checkpoints.length > 0 && (
        <div class="scroll-x">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Saved</th>
                <th scope="col">On</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col">Conversation</th>
                <th scope="col">ID</th>
                <th scope="col">Actions</th>
              </tr>
            </thead>
            <tbody>
              {checkpoints.map((one) => (
                <Row
                  key={one.checkpoint_id}
                  checkpoint={one}
                  onFork={() => setForked(one)}
                  onRemove={() => setRemoved(one)}
                />
              ))}
            </tbody>
          </table>
          {value?.next_cursor && <p class="dim">Only the newest {SHOWN} checkpoints are shown.</p>}
        </div>
      )}
      {forked && <ForkWorker worker={worker} checkpoint={forked} onClose={() => setForked(undefined)} />}
      {removed && (
        <Confirm
          title="Delete this checkpoint?"
          text="The workers that started from it are not affected."
          act="Delete"
          onConfirm={() => void remove(removed)}
          onClose={() => setRemoved(undefined)}
        />
      )}
    </div>
  );
}

function Row({
  checkpoint,
  onFork,
  onRemove,
}: {
  checkpoint: CheckpointInfo;
  onFork: () => void;
  onRemove: () => void;
}) {
  const now = useNow(10_000);
  const [loading, setLoading] = useState(false);
  const {
    checkpoint_id,
    created_at,
    trigger,
    bytes,
    conversation,
    turns,
    warnings = [],
    format,
  } = checkpoint;
  const id = checkpoint_id.slice(0, 8);
  const save = async () => {
    setLoading(true);
    await perform(`Downloaded checkpoint ${id}.`, async () =>
      saveFile(`${checkpoint_id}.${format}`, await api.downloadCheckpoint(checkpoint_id, undefined)),
    );
    setLoading(false);
  };
  return (
    <tr>
      <td>
        <span title={formatTime(created_at)}>{formatTimeSince(created_at, now)} ago</span>
      </td>
      <td>
        {TRIGGERS[trigger]}
        {warnings.length > 0 && (
          <details>
            <summary>{warnings.length} not saved</summary>
            <Foreign text={warnings.join('\n')} />
          </details>
        )}
      </td>
      <td class="number">{formatBytes(bytes)}</td>
      <td>{conversation ? `yes${turns === undefined ? '' : `, ${turns} turns`}` : 'no'}</td>
      <td>
        <code>{id}</code>
      </td>
      <td>
        <div class="buttons">
          <button type="button" aria-label={`Fork from ${id}`} onClick={onFork}>
            Fork
          </button>
          <button type="button" aria-label={`Download ${id}`} disabled={loading} onClick={() => void save()}>
            Download
          </button>
          <button type="button" aria-label={`Delete ${id}`} onClick={onRemove}>
            Delete
          </button>
        </div>
      </td>
    </tr>
  );
}
