import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import pLimit from 'p-limit';

/** One live process. `pid` and `start` together identify it permanently; a pid alone does not. */
export interface Process {
  pid: number;
  ppid: number;
  group: number;
  session: number;
  /** Its start time, in the system's own format: clock ticks since boot on Linux. */
  start: string;
  stopped: boolean;
  threads: number;
  cpu_seconds: number;
  /** Present only if the table includes it. */
  memory_bytes?: number;
}

const LINUX = process.platform === 'linux';
/** USER_HZ is 100 on every architecture that Node runs on. */
export const TICKS_PER_SECOND = 100;
const run = promisify(execFile);
/** Maximum concurrent reads of environments: reading all at once exceeded the descriptor limit. */
const atOnce = pLimit(32);

/** The live process with this pid; a zombie does not count. */
export async function readProcess(pid: number): Promise<Process | undefined> {
  if (LINUX) return readStat(pid);
  return (await ps(['-p', String(pid)]))[0];
}

/** The live processes that this one has started. */
export async function readChildren(pid: number): Promise<Process[]> {
  const list = LINUX ? await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '') : '';
  const named = list.split(' ').filter(Boolean);
  // Not every kernel has this list.
  const all = named.length > 0 ? named.flatMap((one) => readStat(Number(one)) ?? []) : await readProcesses();
  return all.filter(({ ppid }) => ppid === pid);
}

/** All live processes that are visible to this user. */
export async function readProcesses(): Promise<Process[]> {
  if (!LINUX) return ps(['-ax']);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => readStat(Number(pid)) ?? []);
}

/** A variable of a process's initial environment; `undefined` if it is not set. */
export async function readVariable(pid: number, name: string): Promise<string | undefined> {
  if (!LINUX) return undefined;
  const text = await atOnce(() => readFile(`/proc/${pid}/environ`, 'latin1').catch(unlessOutOfFiles));
  const environ = `\0${text}`;
  const at = environ.indexOf(`\0${name}=`);
  if (at < 0) return undefined;
  const from = at + name.length + 2;
  return environ.slice(from, environ.indexOf('\0', from));
}

/** The command line of a process, for systems that do not show environments; empty if it is gone. */
export async function readArguments(pid: number): Promise<string> {
  if (LINUX) return (await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')).replaceAll('\0', ' ');
  const options = { env: { ...process.env, LC_ALL: 'C' }, timeout: 5000, maxBuffer: 16_777_216 };
  return run('ps', ['-ww', '-p', String(pid), '-o', 'args='], options).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

/**
 * A process that is gone or hides its environment has no mark; without free descriptors, the mark is unknown.
 */
function unlessOutOfFiles(error: NodeJS.ErrnoException): string {
  if (error.code === 'EMFILE' || error.code === 'ENFILE') throw error;
  return '';
}

/** Memory of a process in bytes; shared pages count for each process. */
export async function readMemory({ pid, memory_bytes }: Process): Promise<number> {
  if (memory_bytes !== undefined) return memory_bytes;
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

let bootId: string | undefined;

/**
 * Identifies this boot of the machine; empty if the system has no boot ID. Constant while this process runs.
 */
export function readBootId(): string {
  bootId ??= LINUX ? readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() : '';
  return bootId;
}

/** Sends a signal to exactly this process; sends nothing if another process has its pid by now. */
export async function signal(target: Pick<Process, 'pid' | 'start'>, name: NodeJS.Signals): Promise<void> {
  const now = await readProcess(target.pid);
  if (now?.start === target.start) sendTo(target.pid, name);
}

/** Sends a signal to a pid, or to a group if it is negative; an already ended process is not an error. */
export function sendTo(pid: number, name: NodeJS.Signals): void {
  // 0 is this process's own group, -1 is everything, and 1 is the whole machine or container.
  if (!Number.isSafeInteger(pid) || Math.abs(pid) <= 1)
    throw new Error(
      `A signal to ${pid} would reach processes that do not belong to a worker; nothing was sent.`,
    );
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readStat(pid: number): Process | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  // proc(5): fields count from 1, and the name before the last ')' may contain anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (index: number) => fields[index - 3] ?? '';
  if (field(3) === 'Z' || field(3) === 'X') return undefined;
  const ticks = [14, 15, 16, 17].reduce((sum, index) => sum + Number(field(index)), 0);
  return {
    pid,
    ppid: Number(field(4)),
    group: Number(field(5)),
    session: Number(field(6)),
    start: field(22),
    stopped: field(3) === 'T',
    threads: Number(field(20)),
    cpu_seconds: ticks / TICKS_PER_SECOND,
  };
}

/** On other systems, the session is unknown, so the group is used instead. */
async function ps(selection: string[]): Promise<Process[]> {
  const format = 'pid=,ppid=,pgid=,stat=,rss=,time=,lstart=';
  const options = { env: { ...process.env, LC_ALL: 'C' }, timeout: 5000, maxBuffer: 16_777_216 };
  const answer = await run('ps', [...selection, '-o', format], options).catch((error) => {
    // ps exits with 1 if no process matches.
    if (error.code === 1) return { stdout: '' };
    throw error;
  });
  return answer.stdout.split('\n').flatMap((line) => {
    const [pid, ppid, group, stat, rss, time, ...start] = line.trim().split(/\s+/);
    if (!stat || stat.startsWith('Z')) return [];
    return {
      pid: Number(pid),
      ppid: Number(ppid),
      group: Number(group),
      session: Number(group),
      start: start.join(' '),
      stopped: stat.startsWith('T'),
      threads: 1,
      cpu_seconds: (time ?? '').split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0),
      memory_bytes: Number(rss) * 1024,
    };
  });
}
