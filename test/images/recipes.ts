import type { BuildInputs } from '../../src/images/index.ts';
import { type WorkerSpec, workerSpec } from '../../src/model/index.ts';

/** A spec with the given fields. */
export function specOf(fields: Partial<WorkerSpec> = {}): WorkerSpec {
  return workerSpec.parse({ runtime: 'docker', agent_type: 'CUSTOM', ...fields });
}

/** A base, wrapper and processor that no machine has. */
export const GROUND: BuildInputs = {
  base: { name: 'node:24-bookworm-slim', digest: `sha256:${'1'.repeat(64)}` },
  wrapper: '2'.repeat(64),
  arch: 'amd64',
};
