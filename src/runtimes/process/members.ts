import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeDown } from '../runtime.ts';
import type { Pid } from './body-directory.ts';
import { pidsIn } from './cgroups.ts';
import {
  type Process,
  readBootId,
  readProcess,
  readProcesses,
  readVariable,
  sendTo,
  signal,
} from './process-table.ts';

/** How a process is known to belong to a body, however it was started. */
export interface Trace {
  bodyId: string;
  shim: Pid | undefined;
  cgroups: string[];
}

/** In the environment of everything that a body starts. */
export const BODY_VARIABLE = 'WORKER_BODY_ID';
const KILL_ROUNDS = 100;
const ROUND_MS = 20;

/** The shim's process if it is alive; never another one that has got its pid since. */
export async function liveShim(shim: Pid | undefined): Promise<Process | undefined> {
  if (!shim || shim.boot !== readBootId()) return undefined;
  const seen = await readProcess(shim.pid);
  return seen?.start === shim.start ? seen : undefined;
}

/**
 * All live processes of a body: in its cgroups, with its mark in their environment, in the shim's session or
 * group, and all that descend from those. Without cgroups only a process that left its session, dropped its
 * environment and lost its parent is not found.
 */
export async function membersOf(trace: Trace): Promise<Process[]> {
  return membersIn(await readTable(), trace);
}

/** All live processes of the machine, and the body that each is marked for; the marks are most of the work. */
export interface Table {
  all: Process[];
  bodies: (string | undefined)[];
}

export async function readTable(): Promise<Table> {
  const all = await readProcesses();
  return { all, bodies: await Promise.all(all.map(({ pid }) => readVariable(pid, BODY_VARIABLE))) };
}

/** The same in a table that was read before: good enough to measure by, never to kill by. */
export async function membersIn({ all, bodies }: Table, trace: Trace): Promise<Process[]> {
  const shim = await liveShim(trace.shim);
  const inCgroups = new Set(await pidsIn(trace.cgroups));
  const members = new Set<number>(
    all.filter(({ pid }, at) => inCgroups.has(pid) || bodies[at] === trace.bodyId).map(({ pid }) => pid),
  );
  if (shim) members.add(shim.pid);
  // A session's number can't be used anew while a process of it lives, so one known member proves the others.
  const session = trace.shim?.pid;
  const sessionIsOurs = shim !== undefined || all.some((it) => it.session === session && members.has(it.pid));
  if (sessionIsOurs)
    for (const it of all) if (it.session === session || it.group === session) members.add(it.pid);
  for (let grown = true; grown; ) {
    const children = all.filter(({ pid, ppid }) => members.has(ppid) && !members.has(pid));
    for (const { pid } of children) members.add(pid);
    grown = children.length > 0;
  }
  members.delete(process.pid);
  return all.filter(({ pid }) => members.has(pid));
}

/** SIGTERM to the group of the wrapper, which ends its agent by itself. */
export async function terminateAll(trace: Trace): Promise<void> {
  const shim = await liveShim(trace.shim);
  // The shim ignores it and leads a group of its own, which holds the wrapper.
  if (shim && shim.group === shim.pid) return sendTo(-shim.pid, 'SIGTERM');
  for (const member of await membersOf(trace)) await signal(member, 'SIGTERM');
}

/** SIGKILL to all of it until nothing is left; what forks meanwhile is found in the next round. */
export async function killAll(trace: Trace): Promise<void> {
  let left: Process[] = [];
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    left = await membersOf(trace);
    if (left.length === 0) return;
    for (const member of left) await signal(member, 'SIGKILL');
    await delay(ROUND_MS);
  }
  const pids = left.map(({ pid }) => pid).join(', ');
  throw new RuntimeDown(
    `Body ${trace.bodyId} does not die: SIGKILL was sent to pids ${pids}, which hang in the kernel.`,
  );
}
