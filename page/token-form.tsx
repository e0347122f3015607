/** Asks for the manager's token. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { enter, rejection } from './live/session.ts';
import { useStore } from './live/store.ts';
import { Problem } from './parts/basics.tsx';

export function TokenForm() {
  const rejected = useStore(rejection);
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(await enter(input.current?.value.trim() ?? ''));
    setBusy(false);
  };
  return (
    <main class="gate">
      <h1>worker-manager</h1>
      <form class="form" onSubmit={submit}>
        <label>
          Token
          <input ref={input} type="password" name="token" required autocomplete="off" spellcheck={false} />
          <small>
            Shown by <code>wm context --token</code> on the manager's machine. It stays in this tab.
          </small>
        </label>
        <Problem text={error ?? rejected} />
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy}>
            Open
          </button>
        </div>
      </form>
    </main>
  );
}
