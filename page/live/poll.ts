/** Reads something again and again while a component is shown. */
import { useEffect, useState } from 'preact/hooks';
import { sleep } from '../../src/client/retry.ts';
import { describeError } from '../parts/text.ts';
import { untilShown } from './visibility.ts';

export interface Polled<T> {
  value: T | undefined;
  /** Why the last read failed. The value before is kept. */
  error: string | undefined;
  /** Reads again now. */
  refresh: () => void;
}

/** `key` identifies what is read: another key starts again. `everyMs` undefined: reads once. */
export function usePoll<T>(
  key: string,
  everyMs: number | undefined,
  read: (signal: AbortSignal) => Promise<T>,
): Polled<T> {
  const [state, setState] = useState<{ key: string; value?: T; error?: string }>({ key });
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for what is read, and the round for a refresh.
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    const loop = async () => {
      for (;;) {
        await untilShown(signal);
        try {
          const value = await read(signal);
          if (!signal.aborted) setState({ key, value });
        } catch (thrown) {
          signal.throwIfAborted();
          const error = describeError(thrown);
          setState((before) => ({ ...(before.key === key ? before : { key }), error }));
        }
        if (everyMs === undefined) return;
        await sleep(everyMs, signal);
      }
    };
    loop().catch(() => {});
    return () => ended.abort();
  }, [key, everyMs, round]);
  const { value, error } = state.key === key ? state : ({} as { value?: T; error?: string });
  return { value, error, refresh: () => setRound((before) => before + 1) };
}
