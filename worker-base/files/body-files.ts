import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { Log } from '../log.ts';
import type { WrapperSettings } from '../settings.ts';
import type { AgentEnvironment } from '../workload.ts';
import { FileHelper } from './file-helper.ts';
import { WorkspaceRoom } from './workspace-room.ts';

/** What requests for the files of a body need. */
export interface BodyFiles {
  helper: FileHelper;
  room: WorkspaceRoom;
}

const opened = new WeakMap<AgentEnvironment, BodyFiles>();

/** The files of a body; the same for all requests. Close the helper when the body ends. */
export function getBodyFiles(
  environment: AgentEnvironment,
  settings: Pick<WrapperSettings, 'workspace' | 'inherited'>,
  spec: WorkerSpec,
  log: Pick<Log, 'warn'>,
): BodyFiles {
  const known = opened.get(environment);
  if (known) return known;
  const { workspace, inherited } = settings;
  const { helperCommand } = environment.privileges;
  const files = {
    helper: new FileHelper({ environment, workspace, path: inherited.PATH ?? '', log }),
    room: new WorkspaceRoom({ size: spec.workspace?.size, workspace, helperCommand }),
  };
  opened.set(environment, files);
  return files;
}
