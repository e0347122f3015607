/** The output of one worker, live. It continues when the worker is started again. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { sleep } from '../../src/client/retry.ts';
import type { WorkerOutput } from '../../src/client/types.ts';
import { followStream } from '../live/follow.ts';
import { describeError } from '../parts/text.ts';
import { appendEntries, EMPTY_LOG, type OutputLog } from './output-lines.ts';

/** Entries that are read first. */
export const FIRST_ENTRIES = 2000;
/** New entries are shown together, at most this often in milliseconds. */
const SHOW_MS = 60;
/** The list of workers may know later than the stream that the worker has ended. */
const AGAIN_MS = 1000;

export interface OutputState {
  log: OutputLog;
  state: 'connecting' | 'live' | 'lost' | 'ended';
  error: string | undefined;
}

/** `all`: from the first entry that is kept. */
export function useOutput(workerId: string, { ended, all }: { ended: boolean; all: boolean }): OutputState {
  const [log, setLog] = useState<OutputLog>(EMPTY_LOG);
  const [state, setState] = useState<OutputState['state']>('connecting');
  const [error, setError] = useState<string>();
  const isEnded = useRef(ended);
  isEnded.current = ended;

  useEffect(() => {
    const stopped = new AbortController();
    const { signal } = stopped;
    let waiting: WorkerOutput[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let after: string | undefined;
    setLog(EMPTY_LOG);
    setState('connecting');
    setError(undefined);
    const show = () => {
      timer = undefined;
      const added = waiting;
      waiting = [];
      setLog((before) => appendEntries(before, added));
    };
    const loop = async () => {
      for (;;) {
        await followStream(
          { kind: 'output', workerId },
          {
            tail: all ? undefined : FIRST_ENTRIES,
            after,
            signal,
            onItem: ({ id, data }) => {
              after = id;
              waiting.push({ ...data, id } as WorkerOutput);
              timer ??= setTimeout(show, SHOW_MS);
            },
            onConnected: (connected) => setState(connected ? 'live' : 'lost'),
          },
        );
        setState('ended');
        do await sleep(AGAIN_MS, signal);
        while (isEnded.current);
      }
    };
    loop().catch((thrown: unknown) => {
      if (!signal.aborted) setError(describeError(thrown));
    });
    return () => {
      stopped.abort();
      clearTimeout(timer);
    };
  }, [workerId, all]);
  return { log, state, error };
}
