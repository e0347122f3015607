import type { Instruments } from './instruments.ts';

/** From a workspace of a few files to one of many gigabytes on a network mount, in seconds. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800];

const OPS = ['save', 'restore', 'failed'] as const;

/** The metrics of checkpoints. */
export function checkpointMetrics({ gauge, histogram }: Instruments) {
  const checkpointDuration = histogram<{ op: (typeof OPS)[number] }>(
    'checkpoint_duration_seconds',
    'Duration of saving a workspace, and of filling one from a checkpoint; `failed` is a checkpoint that could not be saved, and not one of a worker that does not run.',
    ['op'],
    BUCKETS,
  );
  for (const op of OPS) checkpointDuration.expose({ op });
  return {
    checkpoints: gauge('checkpoints', 'Number of stored checkpoints of this cell.', []),
    checkpointBytes: gauge(
      'checkpoint_bytes',
      'Bytes of all stored checkpoints; what several of them share counts once.',
      [],
    ),
    checkpointDuration,
  };
}
