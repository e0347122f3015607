import { setTimeout as delay } from 'node:timers/promises';
import { ActFailed } from '../runtime.ts';
import type { Pid } from './body-directory.ts';
import { killCgroups, pidsIn } from './cgroups.ts';
import {
  type Process,
  readArguments,
  readBootId,
  readChildren,
  readProcess,
  readProcesses,
  readVariable,
  sendTo,
  signal,
} from './process-table.ts';

/** How a process is identified as part of a body, however it was started. */
export interface Trace {
  bodyId: string;
  /** From a file, so it counts only with the kernel's proof. */
  shim: Pid | undefined;
  /** Derived from the body's ID, never read from a file. */
  cgroups: string[];
}

/** Environment variable of every process that a body starts. */
export const BODY_VARIABLE = 'WORKER_BODY_ID';
const KILL_ROUNDS = 100;
const ROUND_MS = 20;
/** Cache of marks by process; the initial environment of a process never changes. */
const proven = new Map<number, { start: string; bodyId: string }>();
const PROVEN_LIMIT = 10_000;

/**
 * The shim's process if it is alive and the kernel proves that it is this body's: a file may name any process, with its
 * right start time and boot, so the process itself must have been started with the body's mark.
 */
export async function liveShim({
  shim,
  bodyId,
}: Pick<Trace, 'shim' | 'bodyId'>): Promise<Process | undefined> {
  if (!shim || shim.pid <= 1 || shim.pid === process.pid || shim.boot !== readBootId()) return undefined;
  const shimProcess = await readProcess(shim.pid);
  if (shimProcess?.start !== shim.start) return undefined;
  return (await isMarked(shimProcess, bodyId)) ? shimProcess : undefined;
}

async function isMarked({ pid, start }: Process, bodyId: string): Promise<boolean> {
  const known = proven.get(pid);
  if (known?.start === start && known.bodyId === bodyId) return true;
  // Cache only marks that were read: an unreadable environment may be readable next time.
  if ((await readMark(pid, bodyId)) !== bodyId) return false;
  if (proven.size > PROVEN_LIMIT) proven.clear();
  proven.set(pid, { start, bodyId });
  return true;
}

/** If environments are not readable, the shim's arguments contain the body's ID. */
async function readMark(pid: number, bodyId: string): Promise<string | undefined> {
  if (process.platform === 'linux') return readVariable(pid, BODY_VARIABLE);
  return (await readArguments(pid)).split(' ').includes(bodyId) ? bodyId : undefined;
}

/**
 * All live processes of a body: in its cgroups, with its mark in their environment, in the shim's session or
 * group, and all that descend from those; never PID 1, this process or what it descends from. Without cgroups only a
 * process that left its session, dropped its environment and lost its parent is not found.
 */
export async function findBodyProcesses(trace: Trace): Promise<Process[]> {
  return selectBodyProcesses(await readTable(), trace);
}

/**
 * All live processes of the machine, with the body that each is marked for. Reading the marks takes most of
 * the time.
 */
export interface Table {
  all: Process[];
  bodies: (string | undefined)[];
}

let reading: Promise<unknown> = Promise.resolve();
let upcoming: Promise<Table> | undefined;

/**
 * Reads the table after this call. Callers that come while it is being read share the next reading: one for each of many
 * bodies that end at once would take a time that grows with the square of their number.
 */
export function readTable(): Promise<Table> {
  upcoming ??= reading.then(() => {
    upcoming = undefined;
    const table = readAll();
    reading = table.catch(() => {});
    return table;
  });
  return upcoming;
}

async function readAll(): Promise<Table> {
  const all = await readProcesses();
  return { all, bodies: await Promise.all(all.map(({ pid }) => readVariable(pid, BODY_VARIABLE))) };
}

/** The same from an older table: good enough for usage, but never for a kill. */
export async function selectBodyProcesses({ all, bodies }: Table, trace: Trace): Promise<Process[]> {
  const shim = await liveShim(trace);
  const spared = await untouchable();
  const inCgroups = new Set(pidsIn(trace.cgroups));
  const marked = new Set(all.filter((_, at) => bodies[at] === trace.bodyId).map(({ pid }) => pid));
  const members = new Set<number>();
  const add = (pid: number) => void (spared.has(pid) || members.add(pid));
  for (const { pid } of all) if (inCgroups.has(pid) || marked.has(pid)) add(pid);
  if (shim) add(shim.pid);
  // A session ID is not reused while a process of it lives, so one marked member proves the others.
  const session = trace.shim?.pid;
  const sessionIsOurs = shim !== undefined || all.some((it) => it.session === session && marked.has(it.pid));
  if (sessionIsOurs) for (const it of all) if (it.session === session || it.group === session) add(it.pid);
  for (let grown = true; grown; ) {
    const before = members.size;
    for (const { pid, ppid } of all) if (members.has(ppid)) add(pid);
    grown = members.size > before;
  }
  return all.filter(({ pid }) => members.has(pid));
}

/** PID 1, this process and its ancestors: never part of a body, whatever their marks or cgroups. */
async function untouchable(): Promise<Set<number>> {
  const spared = new Set([0, 1, process.pid]);
  for (let pid = process.ppid; pid > 1 && !spared.has(pid); ) {
    spared.add(pid);
    pid = (await readProcess(pid))?.ppid ?? 0;
  }
  return spared;
}

/**
 * Sends SIGTERM to the wrapper, which then ends its agent. As in a container, it is not sent to what the wrapper has started: the
 * programs that save the workspace and the conversation of a body that ends would be ended with each repetition.
 */
export async function terminateAll(trace: Trace): Promise<void> {
  const shim = await liveShim(trace);
  const started = shim ? await readChildren(shim.pid) : [];
  if (started.length > 0) {
    for (const child of started) await signal(child, 'SIGTERM');
    return;
  }
  // The shim ignores it and leads its own group, which contains the wrapper.
  if (shim && shim.group === shim.pid) return sendTo(-shim.pid, 'SIGTERM');
  for (const member of await findBodyProcesses(trace)) await signal(member, 'SIGTERM');
}

/**
 * The oldest first: the wrapper dies before what it started. A wrapper that lives a moment longer than its task's program
 * reports that the program failed, instead of leaving the task to another worker. Pids don't give that order: they wrap.
 */
export function toKillOrder(processes: Process[]): Process[] {
  return processes.toSorted((a, b) => Number(a.start) - Number(b.start) || a.pid - b.pid);
}

/** Sends SIGKILL to all of it until nothing is left; each round also finds new forks. */
export async function killAll(trace: Trace): Promise<void> {
  let left: Process[] = [];
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    left = await findBodyProcesses(trace);
    if (left.length === 0) return;
    killCgroups(trace.cgroups, await untouchable());
    for (const member of toKillOrder(left)) await signal(member, 'SIGKILL');
    await delay(ROUND_MS);
  }
  const pids = left.map(({ pid }) => pid).join(', ');
  throw new ActFailed(
    `Body ${trace.bodyId} does not end: SIGKILL was sent to pids ${pids}, which hang in the kernel.`,
  );
}
