/** The Dockerfile of a worker's image. */
import type { WorkerInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { Code, Foreign, Problem } from '../parts/basics.tsx';

export function DockerfileView({ worker: { worker_id, image } }: { worker: WorkerInfo }) {
  const { value, error } = usePoll(`dockerfile ${worker_id}`, undefined, (signal) =>
    api.getWorkerDockerfile(worker_id, { signal }),
  );
  return (
    <>
      <Problem text={error} />
      {value && (
        <>
          <p class="dim">
            The manager builds <Foreign text={value.image} /> from it
            {image && image !== value.image && (
              <>
                , and the worker has <Foreign text={image} />
              </>
            )}
            . <code>wm images build --directory</code> also writes the files that it copies.
          </p>
          <Code value={value.dockerfile} label="Dockerfile" />
        </>
      )}
    </>
  );
}
