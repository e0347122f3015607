/**
 * Waits until the manager has sent the checkpoint that an empty workspace is filled with.
 *
 * Bodies reach nothing but Redis, so the archive comes through the door. The wrapper reports repeatedly that it waits. An
 * upload that is cut, because the manager was killed, is followed by one of its successor.
 */

import { Fault } from '../../src/model/values/fault.ts';
import { fillWorkspace, isFillDue } from '../archive/fill.ts';
import type { Door } from '../door/door.ts';
import type { Log } from '../log.ts';
import type { Privileges } from '../sandbox/privileges.ts';
import type { WrapperSettings } from '../settings.ts';
import type { HeartbeatSender } from '../streams/heartbeat.ts';
import { CannotStart } from '../workload.ts';

/** As sysexits.h: the service is unavailable. */
const EX_UNAVAILABLE = 69;

/** Fills the workspace, unless it has files; throws `CannotStart`. False if `signal` ended it. */
export async function restoreCheckpoint(options: {
  id: string;
  door: Door | undefined;
  heartbeat: HeartbeatSender;
  privileges: Privileges;
  settings: WrapperSettings;
  signal: AbortSignal;
  log: Log;
}): Promise<boolean> {
  const { id, door, heartbeat, privileges, settings, signal, log } = options;
  if (!isFillDue(settings.workspace)) return !signal.aborted;
  if (!door) throw failed(id, 'no manager can reach this body');
  const began = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  signal.addEventListener('abort', () => resolve(false), { once: true });
  let filling = false;
  door.awaitArchive({
    async fill(archive, format) {
      if (filling)
        throw new Fault('conflict', 'Another archive is being received.', { reason: 'not_waiting' });
      filling = true;
      try {
        await fillWorkspace(archive, format, { privileges, settings });
        resolve(true);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        reject(failed(id, error.message));
        throw error;
      } finally {
        filling = false;
      }
    },
    fail: (why) => reject(failed(id, why)),
  });
  heartbeat.request('needs_checkpoint', true);
  try {
    const filled = await promise;
    if (filled)
      log.info('checkpoint restored', { checkpoint: id, ms: Math.round(performance.now() - began) });
    return filled && !signal.aborted;
  } finally {
    door.awaitArchive(undefined);
    heartbeat.request('needs_checkpoint', false);
  }
}

const failed = (id: string, why: string) =>
  new CannotStart(
    EX_UNAVAILABLE,
    `The workspace could not be filled from the checkpoint ${id}: ${why}`,
    'WorkspaceSourceFailed',
  );
