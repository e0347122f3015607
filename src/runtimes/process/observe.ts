import { setTimeout as delay } from 'node:timers/promises';
import type { Body } from '../../model/index.ts';
import { readLogTail } from './body-directory.ts';
import type { BodyRecord } from './body-record.ts';
import { wasOomKilled } from './cgroups.ts';
import type { FoundBody } from './found-body.ts';
import { findBodyProcesses, liveShim, type Trace } from './members.ts';
import { readBootId } from './process-table.ts';

/** A shim that has passed its fence and has not written its pid after this time has died. */
const SHIM_BOOT_MS = 10_000;
/** 128 + SIGKILL, as shells and Docker report it. */
const KILLED = 137;
/**
 * A shim exits a few milliseconds after it writes the exit status; if it stays alive, it did not write it.
 */
const EXIT_MS = 500;
const POLL_MS = 5;
/** Bodies whose exit status is not trusted, because their shim was still alive. */
const forged = new Set<string>();

/** Reads a body's state from its files and the process table; `undefined` if nothing of it is left. */
export async function observeBody(
  found: FoundBody,
  cgroups: string[],
  withTail: boolean,
): Promise<Body | undefined> {
  const { dir, made } = found;
  const body = toBody(made);
  const shim = dir.pid();
  const trace = { bodyId: made.id, shim, cgroups };
  if (found.lost) return observeLost(found, body, trace);
  const fenced = shim?.written_at ?? dir.writtenAt('started');
  if (fenced === undefined) return body;
  body.started_at = shim?.written_at;
  const shimProcess = await liveShim(trace);
  const running = shimProcess && (dir.exit() === undefined || !(await isRunning(trace)));
  if (running) {
    const paused = shimProcess.stopped ? { paused: true } : {};
    return { ...body, state: 'running', ip_address: '127.0.0.1', pid: shimProcess.pid, ...paused };
  }
  // Read last: the shim writes it before it exits, so it exists if the shim ended normally.
  const code = dir.exit();
  if (code === undefined) {
    if (!shim && Date.now() - fenced < SHIM_BOOT_MS) return body;
    const [member] = await findBodyProcesses(trace);
    if (member) return { ...body, state: 'running', ip_address: '127.0.0.1', pid: member.pid };
  }
  const tail = withTail ? { tail: readLogTail(dir.file('log')) } : {};
  return { ...body, ...ending(found, code, cgroups), ...tail };
}

/** A body that was created but not started. */
export function toBody(made: BodyRecord): Body {
  const { id, worker_id, incarnation, spec_hash, spec, created_at, store, workspace } = made;
  const some = { ...(store !== undefined && { store }), ...(workspace !== undefined && { workspace }) };
  const all = { id, worker_id, incarnation, spec_hash, spec, created_at };
  return { runtime: 'process', ...all, ...some, state: 'created' };
}

/**
 * Whether a shim with an exit status really exits. A body that runs as the manager's user could forge the
 * file.
 */
async function isRunning(trace: Trace): Promise<boolean> {
  if (forged.has(trace.bodyId)) return false;
  for (const deadline = performance.now() + EXIT_MS; performance.now() < deadline; await delay(POLL_MS))
    if (!(await liveShim(trace))) return true;
  forged.add(trace.bodyId);
  return false;
}

/** A body whose directory or record is gone; only its processes are left. */
async function observeLost({ lost }: FoundBody, body: Body, trace: Trace): Promise<Body | undefined> {
  const [member] = await findBodyProcesses(trace);
  if (member) return { ...body, state: 'running', ip_address: '127.0.0.1', pid: member.pid };
  if (lost === 'directory') return undefined;
  const message = 'Its record (body.json) was destroyed, so it is unknown how it ended.';
  return { ...body, state: 'exited', lost: { reason: 'RecordLost', message } };
}

function ending({ dir }: FoundBody, exit_code: number | undefined, cgroups: string[]): Partial<Body> {
  const oom_killed = wasOomKilled(cgroups);
  const error = dir.text('error')?.trim();
  if (exit_code !== undefined) {
    const finished_at = dir.writtenAt('exit');
    return { state: 'exited', exit_code, oom_killed, finished_at, ...(error ? { error } : {}) };
  }
  const finished_at = dir.writtenAt('killed');
  if (finished_at !== undefined) return { state: 'exited', exit_code: KILLED, oom_killed, finished_at };
  if (error) return { state: 'exited', oom_killed, error };
  const boot = dir.pid()?.boot;
  const lost =
    boot === undefined || boot === readBootId()
      ? { reason: 'SupervisorLost', message: 'It was killed together with its supervisor (shim.sh).' }
      : { reason: 'MachineRestarted', message: 'The machine was restarted while it ran.' };
  return { state: 'exited', oom_killed, lost };
}
