import type { Body } from '../../model/index.ts';
import { type BodyDirectory, type BodyRecord, tailOf } from './body-directory.ts';
import type { Found } from './cell-directory.ts';
import { wasOomKilled } from './cgroups.ts';
import { liveShim, membersOf } from './members.ts';
import { readBootId } from './process-table.ts';

/** A shim that has passed its fence and left no pid so long after it has died on the way. */
const SHIM_BOOT_MS = 10_000;
/** 128 + SIGKILL, as shells and Docker say it. */
const KILLED = 137;

/** The cgroups that were made for a body. */
export async function cgroupsOf(dir: BodyDirectory): Promise<string[]> {
  const text = await dir.text('cgroups');
  return (text ?? '').split('\n').filter(Boolean);
}

/** What the files and the process table say of a body now. */
export async function observe(dir: BodyDirectory, made: BodyRecord, withTail: boolean): Promise<Body> {
  const { id, worker_id, incarnation, spec_hash, spec, created_at } = made;
  const body: Body = {
    id,
    runtime: 'process',
    worker_id,
    incarnation,
    spec_hash,
    spec,
    created_at,
    state: 'created',
  };
  const shim = await dir.pid();
  const fenced = shim?.written_at ?? (await dir.writtenAt('started'));
  if (fenced === undefined) return body;
  body.started_at = shim?.written_at;
  const running = await liveShim(shim);
  if (running && (await dir.text('exit')) === undefined) {
    return {
      ...body,
      state: 'running',
      ip_address: '127.0.0.1',
      ...(running.stopped ? { paused: true } : {}),
    };
  }
  // Read only now: the shim writes it before it ends, so it is there if the shim has ended as it should.
  const code = await dir.text('exit');
  if (code === undefined) {
    if (!shim && Date.now() - fenced < SHIM_BOOT_MS) return body;
    const trace = { bodyId: id, shim, cgroups: await cgroupsOf(dir) };
    if ((await membersOf(trace)).length > 0) return { ...body, state: 'running', ip_address: '127.0.0.1' };
  }
  return {
    ...body,
    ...(await ending(dir, code, shim?.boot)),
    ...(withTail ? { tail: await tailOf(dir.file('log')) } : {}),
  };
}

async function ending(
  dir: BodyDirectory,
  code: string | undefined,
  boot: string | undefined,
): Promise<Partial<Body>> {
  const oom_killed = await wasOomKilled(await cgroupsOf(dir));
  const error = (await dir.text('error'))?.trim();
  if (code !== undefined) {
    const finished_at = await dir.writtenAt('exit');
    const exit_code = Number.parseInt(code, 10);
    return { state: 'exited', exit_code, oom_killed, finished_at, ...(error ? { error } : {}) };
  }
  const finished_at = await dir.writtenAt('killed');
  if (finished_at !== undefined) return { state: 'exited', exit_code: KILLED, oom_killed, finished_at };
  const why =
    boot === undefined || boot === readBootId()
      ? 'its shim was killed, so nobody saw how it ended'
      : 'the machine was restarted';
  return { state: 'exited', oom_killed, error: error ?? `lost: ${why}` };
}

/** The body that was found, or `undefined` where there is none, or it is just being removed. */
export async function look(found: Found | undefined, withTail: boolean): Promise<Body | undefined> {
  if (!found) return undefined;
  const body = await observe(found.dir, found.made, withTail);
  if (body.state === 'running') return body;
  // Removed while it was looked at: its files were missing for that reason alone.
  return (await found.dir.writtenAt(`id.${body.id}`)) === undefined ? undefined : body;
}
