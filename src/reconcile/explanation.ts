import { type Actual, type Decision, describeIntent, type Observation } from '../model/index.ts';

/** An observation of a worker and the decision about it, for programs: of the command line and the HTTP API. */
export function toExplanation(
  { worker_id, desired: record, status, actual, heartbeat }: Observation,
  { memo: _, intents, ...decision }: Decision,
  leader: { owner: string; epoch: number } | undefined,
): object {
  const { desired, generation } = record;
  return {
    worker_id,
    leader: leader ?? null,
    desired,
    generation,
    recorded: status ?? null,
    actual: toVisibleActual(actual),
    heartbeat: heartbeat ?? null,
    decision: {
      ...decision,
      intents: intents.map((intent) => ({ ...intent, description: describeIntent(intent) })),
    },
  };
}

/** The body without its spec, which contains the values of environment variables. */
function toVisibleActual(actual: Actual): object {
  if (actual.kind !== 'present') return actual;
  const { spec: _, ...body } = actual.body;
  return { kind: actual.kind, body };
}
