/** Links to servers in a worker, each at a host of its own, so that what they serve cannot act as the person. */
import { useState } from 'preact/hooks';
import type { PortLinkInfo, WorkerInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { Empty, Problem } from '../parts/basics.tsx';
import { describeError, formatTime } from '../parts/text.ts';

interface Made {
  port: number;
  link: PortLinkInfo;
}

export function PortsView({ worker, ended }: { worker: WorkerInfo; ended: boolean }) {
  const { worker_id } = worker;
  const [made, setMade] = useState<Made>();
  const [error, setError] = useState<string>();
  const spec = usePoll(`spec ${worker_id}`, undefined, (signal) => api.getWorkerSpec(worker_id, { signal }));
  if (ended) return <Empty>Ports can be reached while the worker runs.</Empty>;
  const ports = spec.value?.ports ?? 'any';
  if (ports !== 'any' && ports.length === 0) return <Empty>The ports of this worker are closed.</Empty>;

  const create = async (event: SubmitEvent) => {
    event.preventDefault();
    const port = Number(new FormData(event.currentTarget as HTMLFormElement).get('port'));
    setError(undefined);
    setMade(undefined);
    try {
      setMade({ port, link: await api.createPortLink(worker_id, port, {}) });
    } catch (thrown) {
      setError(describeError(thrown));
    }
  };
  return (
    <div class="ports">
      <form class="form" onSubmit={create}>
        <label>
          Port
          <span class="inline">
            {ports === 'any' ? (
              <input name="port" type="number" min={1} max={65_535} required />
            ) : (
              <select name="port">
                {ports.map((port) => (
                  <option key={port}>{port}</option>
                ))}
              </select>
            )}
            <button type="submit">Create a link</button>
          </span>
          <small>On which a server in the worker listens, also if only on 127.0.0.1.</small>
        </label>
      </form>
      <Problem text={error ?? spec.error} />
      {made && (
        <p role="status">
          <a href={made.link.url} target="_blank" rel="noreferrer" onClick={() => setMade(undefined)}>
            Open port {made.port}
          </a>{' '}
          <span class="dim">
            in a new tab. The link works once, until {formatTime(made.link.expires_at)}.
          </span>
        </p>
      )}
    </div>
  );
}
