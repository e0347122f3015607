/** What the manager observes of a worker and would do next, as `wm explain`. */
import type { WorkerInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { Code, Facts, Foreign, Problem } from '../parts/basics.tsx';
import { formatDuration } from '../parts/text.ts';

const EVERY_MS = 3000;

export function ExplainView({ worker: { worker_id } }: { worker: WorkerInfo }) {
  const { value, error } = usePoll(`explain ${worker_id}`, EVERY_MS, (signal) =>
    api.explainWorker(worker_id, { signal }),
  );
  const {
    rule,
    intents = [],
    requeue_after_ms,
  } = (value?.decision ?? {}) as {
    rule?: string;
    intents?: { description: string }[];
    requeue_after_ms?: number | null;
  };
  return (
    <>
      <Problem text={error} />
      {value && (
        <>
          <Facts
            facts={[
              ['Rule', rule && <Foreign text={rule} />],
              ['Desired', `${value.desired}, generation ${value.generation}`],
              [
                'Actions',
                intents.length > 0 ? (
                  <Foreign text={intents.map(({ description }) => description).join('; ')} />
                ) : (
                  'nothing'
                ),
              ],
              [
                'Next check',
                typeof requeue_after_ms === 'number'
                  ? `in ${formatDuration(requeue_after_ms)}`
                  : 'when something changes',
              ],
              ['Leader', value.leader ? <Foreign text={value.leader.owner} /> : 'none'],
            ]}
          />
          <Code value={value} label="Explanation" />
        </>
      )}
    </>
  );
}
