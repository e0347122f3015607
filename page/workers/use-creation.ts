/** What every form that creates a worker does when it is submitted. */
import { useRef, useState } from 'preact/hooks';
import { newKey } from '../../src/client/new-key.ts';
import type { WorkerInput } from '../../src/client/types.ts';
import { api } from '../live/session.ts';
import { notice, useCell } from '../model.ts';
import { describeError } from '../parts/text.ts';
import { go, toHref } from '../router.ts';

export interface Creation {
  /** Why the last attempt failed. */
  error: string | undefined;
  /** Whether an attempt is under way. */
  busy: boolean;
  /** For the form: reads the fields with `toInput`, creates the worker, and shows it. */
  onSubmit: (event: SubmitEvent) => Promise<void>;
}

/** `toInput` throws what is shown as the error; `onCreated` closes the form. */
export function useCreation(
  toInput: (form: FormData) => WorkerInput | Promise<WorkerInput>,
  onCreated: () => void,
): Creation {
  const { cell } = useCell();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const sent = useRef({ text: '', key: '' });

  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setError(undefined);
    setBusy(true);
    try {
      const input = await toInput(form);
      // After a failure, the same form is the same worker.
      const text = JSON.stringify(input);
      if (sent.current.text !== text) sent.current = { text, key: newKey() };
      const worker = await api.createWorker(input, { idempotencyKey: sent.current.key });
      cell.put(worker);
      notice.set({ text: `Created ${worker.name ?? worker.worker_id}.`, failed: false });
      onCreated();
      go(toHref('workers', worker.worker_id));
    } catch (thrown) {
      setError(describeError(thrown));
      setBusy(false);
    }
  };
  return { error, busy, onSubmit };
}
