/** The files that a worker starts with: those of a checkpoint or of a repository, in an empty workspace. */
import { COMMIT_ID } from '../../src/model/worker/archive-format.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import { isFillDue } from '../archive/fill.ts';
import { startHelper } from '../archive/helper-process.ts';
import type { Door } from '../door/door.ts';
import type { Log } from '../log.ts';
import type { Privileges } from '../sandbox/privileges.ts';
import type { WrapperSettings } from '../settings.ts';
import type { HeartbeatSender } from '../streams/heartbeat.ts';

/** Whether a spec names any. */
export const hasFirstFiles = ({ from_checkpoint, workspace }: WorkerSpec): boolean =>
  from_checkpoint !== undefined || workspace?.source !== undefined;

/**
 * Fills the workspace unless it has files; throws `CannotStart`. Undefined if `signal` ended it. `commit` is the one that the
 * agent starts with, if the workspace was filled now and is a repository.
 */
export async function fetchFirstFiles(options: {
  spec: WorkerSpec;
  /** For git: a token, or `user:password`. */
  credential: string | undefined;
  door: Door | undefined;
  heartbeat: HeartbeatSender;
  privileges: Privileges;
  settings: WrapperSettings;
  signal: AbortSignal;
  log: Log;
}): Promise<{ commit: string | undefined } | undefined> {
  const { spec, privileges, settings, signal } = options;
  const git = spec.workspace?.source?.git;
  if (!isFillDue(settings.workspace)) return signal.aborted ? undefined : { commit: undefined };
  let filled = true;
  if (spec.from_checkpoint !== undefined) {
    const { restoreCheckpoint } = await import('./restore-checkpoint.ts');
    filled = await restoreCheckpoint({ ...options, id: spec.from_checkpoint });
  } else if (git) {
    const { fetchSource } = await import('./fetch-source.ts');
    filled = await fetchSource({ ...options, source: git });
  }
  return filled ? { commit: await readCommit(privileges, settings) } : undefined;
}

/** The commit of HEAD, read before the agent runs; undefined without a repository or without git. */
async function readCommit(privileges: Privileges, settings: WrapperSettings): Promise<string | undefined> {
  const { child, ended } = startHelper({
    argv: privileges.helperCommand(['git', '--git-dir=.git', 'rev-parse', '-q', '--verify', 'HEAD']),
    cwd: settings.workspace,
    bodyId: settings.bodyId,
    path: settings.inherited.PATH,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await ended;
  const commit = text.trim();
  return COMMIT_ID.test(commit) ? commit : undefined;
}
