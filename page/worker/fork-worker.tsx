/** A dialog that creates a worker which starts from a checkpoint of another one. */
import { useRef, useState } from 'preact/hooks';
import { toForkFields } from '../../src/client/fork.ts';
import { newKey } from '../../src/client/new-key.ts';
import type { CheckpointInfo, WorkerInfo, WorkerInput } from '../../src/client/types.ts';
import { api } from '../live/session.ts';
import { notice, useCell } from '../model.ts';
import { Foreign, Problem } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { describeError, formatTime } from '../parts/text.ts';
import { go, toHref } from '../router.ts';

export function ForkWorker({
  worker,
  checkpoint,
  onClose,
}: {
  worker: WorkerInfo;
  checkpoint: CheckpointInfo;
  onClose: () => void;
}) {
  const { cell } = useCell();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const sent = useRef({ name: '', key: '' });

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(form.get('name') ?? '').trim();
    setError(undefined);
    setBusy(true);
    try {
      // After a failure, the same name is the same worker.
      if (sent.current.key === '' || sent.current.name !== name) sent.current = { name, key: newKey() };
      const { spec } = await api.getCheckpoint(checkpoint.checkpoint_id, {});
      const input = { ...toForkFields(checkpoint.checkpoint_id, spec), ...(name !== '' && { name }) };
      const fork = await api.createWorker(input as WorkerInput, { idempotencyKey: sent.current.key });
      cell.put(fork);
      notice.set({ text: `Created ${fork.name ?? fork.worker_id}.`, failed: false });
      onClose();
      go(toHref('workers', fork.worker_id));
    } catch (thrown) {
      setError(describeError(thrown));
      setBusy(false);
    }
  };

  return (
    <Dialog title="Fork this worker" onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <p>
          The new worker has the spec of <Foreign text={worker.name ?? worker.worker_id} />, and starts with
          the files that were saved at {formatTime(checkpoint.created_at)}
          {checkpoint.conversation && ' and the conversation'}.
        </p>
        <label>
          Name
          <input name="name" autocomplete="off" />
          <small>May be empty.</small>
        </label>
        <Problem text={error} />
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={busy}>
            Fork
          </button>
        </div>
      </form>
    </Dialog>
  );
}
