/** A dialog that creates a worker which starts from a checkpoint of another one. */
import { toForkFields } from '../../src/client/fork.ts';
import type { CheckpointInfo, WorkerInfo, WorkerInput } from '../../src/client/types.ts';
import { api } from '../live/session.ts';
import { Foreign } from '../parts/basics.tsx';
import { Dialog, FormEnd } from '../parts/dialog.tsx';
import { formatTime } from '../parts/text.ts';
import { useCreation } from '../workers/use-creation.ts';

export function ForkWorker({
  worker,
  checkpoint,
  onClose,
}: {
  worker: WorkerInfo;
  checkpoint: CheckpointInfo;
  onClose: () => void;
}) {
  const toInput = async (form: FormData): Promise<WorkerInput> => {
    const name = String(form.get('name') ?? '').trim();
    const { spec } = await api.getCheckpoint(checkpoint.checkpoint_id, {});
    const fields = { ...toForkFields(checkpoint.checkpoint_id, spec), ...(name !== '' && { name }) };
    return fields as WorkerInput;
  };
  const { error, busy, onSubmit } = useCreation(toInput, onClose);

  return (
    <Dialog title="Fork this worker" onClose={onClose}>
      <form class="form" onSubmit={onSubmit}>
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
        <FormEnd error={error} busy={busy} act="Fork" onClose={onClose} />
      </form>
    </Dialog>
  );
}
