/** The history of one worker. It is read again when the cell reports an event of that worker. */
import { useEffect, useState } from 'preact/hooks';
import type { WorkerEvent } from '../../src/client/types.ts';
import { api } from '../live/session.ts';
import { useStore } from '../live/store.ts';
import { useCell } from '../model.ts';
import { describeError } from '../parts/text.ts';

const TAIL = 1000;

export function useHistory(workerId: string): { events: readonly WorkerEvent[]; error: string | undefined } {
  const { cell } = useCell();
  const latest = useStore(cell.events).findLast((event) => event.worker_id === workerId)?.id;
  const [state, setState] = useState<{ id: string; events: WorkerEvent[]; error?: string }>({
    id: workerId,
    events: [],
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a later event is the reason to read more.
  useEffect(() => {
    const ended = new AbortController();
    const known = state.id === workerId ? state.events : [];
    const after = known.at(-1)?.id;
    const read = async () => {
      const start = after === undefined ? { tail: TAIL, follow: false } : { after, follow: false };
      const found: WorkerEvent[] = [];
      const items = api.openStream({ kind: 'events', workerId }, start, ended.signal, () => {});
      for await (const { id, data } of items) found.push({ ...data, id } as WorkerEvent);
      setState({ id: workerId, events: [...known, ...found] });
    };
    read().catch((error: unknown) => {
      if (!ended.signal.aborted) setState({ id: workerId, events: known, error: describeError(error) });
    });
    return () => ended.abort();
  }, [workerId, latest]);
  return { events: state.id === workerId ? state.events : [], error: state.error };
}
