/**
 * Kills processes of the agent that may have left its group: by their user if they have one, otherwise by
 * descent.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { pidsOfBody } from './own-cgroup.ts';

/** Number of checks of the process table until nothing is left, and the time between two of them. */
const ROUNDS = 100;
const ROUND_MS = 20;
const KILL_MS = 5000;

/**
 * In a container: `kill` runs as the agent's user and signals all processes that this user may signal, in one
 * step that no fork escapes. Throws if a process survives.
 */
export async function killAgent([program = '', ...args]: string[], uid: number): Promise<void> {
  let left: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // An error proves nothing; the process table is checked instead.
    await new Promise<void>((resolve) => execFile(program, args, { timeout: KILL_MS }, () => resolve()));
    left = pids().filter((pid) => readUid(pid) === uid);
    if (left.length === 0) return;
    await delay(ROUND_MS);
  }
  throw new Error(`The agent's processes ${left.join(', ')} do not end: they hang in the kernel.`);
}

/**
 * Outside of a container: all processes that descend from the agent, are in its session or group, or have
 * this body's mark in their environment. Only the body's own cgroup is searched if it has one: the time to
 * read the whole process table grows with every other body, and many bodies that end at once would starve the
 * machine. The runtime searches everywhere and finds processes that have left the cgroup.
 */
export function killOthers(agent: {
  agentGroup: number;
  workerId: string;
  incarnation: number;
  bodyId?: string | undefined;
}): Promise<void> {
  const marks = [`WORKER_ID=${agent.workerId}`, `WORKER_INCARNATION=${agent.incarnation}`];
  return killMarked(agent.agentGroup, marks, agent.bodyId);
}

/**
 * The same for the processes that one of several agents of a body has left: their environment has all of the
 * marks.
 */
export async function killMarked(group: number, marks: string[], bodyId?: string): Promise<void> {
  let left: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    left = descendants(group, marks, bodyId);
    if (left.length === 0) return;
    for (const pid of left) kill(pid);
    await delay(ROUND_MS);
  }
  throw new Error(`The agent's processes ${left.join(', ')} do not end: they hang in the kernel.`);
}

/**
 * Kills the processes that `$1` finds, and prints them. A process that has ended meanwhile has no file in
 * /proc.
 */
const KILL_FOUND = `grep -lzxF -- "$1" /proc/[0-9]*/environ 2>/dev/null | while read -r file; do
  pid=\${file#/proc/}; pid=\${pid%/environ}
  kill -9 "$pid" 2>/dev/null && echo "$pid"
done`;

/**
 * The same in a container, where only the agent's user can read the environment of its processes; `as` is the
 * start of an argv that runs as that user.
 */
export async function killMarkedAs(as: string[], mark: string): Promise<void> {
  const [program = '', ...args] = [...as, '/bin/sh', '-c', KILL_FOUND, 'sh', mark];
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = await new Promise<string>((resolve) =>
      execFile(program, args, { timeout: KILL_MS, env: {} }, (_error, stdout) => resolve(stdout)),
    );
    if (found.trim() === '') return;
    await delay(ROUND_MS);
  }
  throw new Error('Processes of a task do not end: they hang in the kernel.');
}

interface Entry {
  pid: number;
  parent: number;
  group: number;
  session: number;
}

function descendants(agentGroup: number, marks: string[], bodyId: string | undefined): number[] {
  if (process.platform !== 'linux') {
    kill(-agentGroup);
    return [];
  }
  const all = new Map(
    (pidsOfBody(bodyId) ?? pids()).flatMap((pid) => readEntry(pid) ?? []).map((entry) => [entry.pid, entry]),
  );
  // The wrapper and its parents have the mark as well.
  const spared = new Set([process.pid]);
  for (let up = all.get(process.pid)?.parent; up !== undefined && up > 0 && !spared.has(up); ) {
    spared.add(up);
    up = all.get(up)?.parent;
  }
  const found = new Set<number>();
  for (const { pid, group, session } of all.values()) {
    const named = pid === agentGroup || group === agentGroup || session === agentGroup;
    if (!spared.has(pid) && (named || isMarked(pid, marks))) found.add(pid);
  }
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of all.values()) {
      if (!found.has(parent) || found.has(pid) || spared.has(pid)) continue;
      found.add(pid);
      grown = true;
    }
  }
  return [...found];
}

function isMarked(pid: number, marks: string[]): boolean {
  const environment = `\0${read(`/proc/${pid}/environ`)}`;
  return marks.every((mark) => environment.includes(`\0${mark}\0`));
}

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Of a running process; a zombie only waits to be reaped. */
function readEntry(pid: number): Entry | undefined {
  const text = read(`/proc/${pid}/stat`);
  // proc(5): the name before the last ')' may contain any characters.
  const [state, parent, group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (!text || state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), group: Number(group), session: Number(session) };
}

function readUid(pid: number): number | undefined {
  // Not by the owner of its directory, which is root if the program is not readable.
  const text = read(`/proc/${pid}/status`);
  if (/^State:\s+[ZX]/m.test(text)) return undefined;
  const uid = /^Uid:\s+(\d+)/m.exec(text)?.[1];
  return uid === undefined ? undefined : Number(uid);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has exited already.
  }
}
