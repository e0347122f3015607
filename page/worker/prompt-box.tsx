/** The box for prompts, and the button that interrupts a turn. */
import { useRef, useState } from 'preact/hooks';
import { newKey } from '../../src/client/new-key.ts';
import type { WorkerInfo } from '../../src/client/types.ts';
import { api } from '../live/session.ts';
import { perform } from '../model.ts';
import { Problem } from '../parts/basics.tsx';
import { describeError } from '../parts/text.ts';

/** Prompts of this page, by their request ID: the output has their turns, and not their text. */
export type SentPrompts = ReadonlyMap<string, string>;

export function PromptBox({
  worker,
  ended,
  onSent,
}: {
  worker: WorkerInfo;
  ended: boolean;
  onSent: (requestId: string, content: string) => void;
}) {
  const { worker_id, agent_type } = worker;
  const [text, setText] = useState('');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const attempt = useRef({ text: '', key: '' });
  if (agent_type === 'TASK') return <p class="log-note">This worker runs tasks and accepts no prompts.</p>;

  const send = async () => {
    if (text.trim() === '' || busy) return;
    setBusy(true);
    setError(undefined);
    // After a failure, the same text is the same prompt.
    if (attempt.current.text !== text) attempt.current = { text, key: newKey() };
    const { key } = attempt.current;
    try {
      const { request_id } = await api.sendPrompt(worker_id, { content: text }, { idempotencyKey: key });
      onSent(request_id, text);
      attempt.current = { text: '', key: '' };
      setText('');
    } catch (thrown) {
      setError(describeError(thrown));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="prompt-box"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Problem text={error} />
      <textarea
        aria-label="Prompt"
        placeholder={ended ? 'The worker has ended; start it to send prompts.' : 'Prompt (Ctrl+Enter sends)'}
        rows={2}
        value={text}
        disabled={ended}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          void send();
        }}
      />
      <div class="buttons">
        <button
          type="button"
          disabled={ended}
          onClick={() => perform('Interrupted the turn.', () => api.interruptWorker(worker_id, {}))}
        >
          Interrupt
        </button>
        <button type="submit" class="primary" disabled={ended || busy || text.trim() === ''}>
          Send
        </button>
      </div>
    </form>
  );
}
