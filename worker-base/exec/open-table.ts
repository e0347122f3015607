import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { WrapperSettings } from '../settings.ts';
import type { AgentEnvironment } from '../workload.ts';
import { ProcessTable } from './process-table.ts';

const tables = new WeakMap<AgentEnvironment, ProcessTable>();

/** The table of a body. */
export function getProcessTable(
  environment: AgentEnvironment,
  settings: WrapperSettings,
  spec: WorkerSpec,
): ProcessTable {
  let table = tables.get(environment);
  if (!table) {
    table = new ProcessTable(environment, settings, spec);
    tables.set(environment, table);
  }
  return table;
}
