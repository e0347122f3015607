import type { Settings } from '../config/settings.ts';
import { Traces } from '../leader/command-traces.ts';
import { TaskTraces } from '../leader/task-traces.ts';
import type { ReconcileScope } from '../leader/worker-traces.ts';
import type { Store } from '../store/index.ts';
import type { Tasks } from '../tasks/index.ts';
import type { Logger } from '../telemetry/log.ts';
import { CallScope } from '../telemetry/spans.ts';

/** Lines of a worker's history that one start has at most. */
const HISTORY = 200;

/** Opens the export of traces. */
export async function openTracing(
  settings: Pick<Settings, 'otelServiceName' | 'cell'>,
  version: string,
  log: Logger,
): Promise<{
  onCall: (name: string, seconds: number, failed: boolean) => void;
  traces: (deps: { store: Store; tasks: Tasks; now: () => number }) => Traces;
  close(): Promise<void>;
}> {
  const { openSpanExport } = await import('../telemetry/otlp.ts');
  const { otelServiceName: serviceName, cell } = settings;
  const spans = await openSpanExport({ serviceName, version, cell, log });
  const scope = new CallScope<ReconcileScope>();
  return {
    onCall: (...call) => scope.note(...call),
    traces: ({ store, tasks, now }) =>
      new Traces(
        { spans, scope, history: (id) => store.history(id, HISTORY), log },
        new TaskTraces({ tasks, position: store.tracesPosition, spans, log, now }),
      ),
    close: () => spans.close(),
  };
}
