import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import pLimit from 'p-limit';

/** One process as the system shows it now. `pid` and `start` together name it for good; a pid alone does not. */
export interface Process {
  pid: number;
  ppid: number;
  group: number;
  session: number;
  /** When it was started, in the system's own spelling: clock ticks since boot on Linux. */
  start: string;
  stopped: boolean;
  threads: number;
  cpu_seconds: number;
  /** Only if the table has it anyway. */
  memory_bytes?: number;
}

const LINUX = process.platform === 'linux';
/** USER_HZ is 100 on every architecture that Node runs on. */
export const TICKS_PER_SECOND = 100;
const run = promisify(execFile);
/** Environments that are read at the same time: all of them at once took more descriptors than a process has. */
const atOnce = pLimit(32);

/** The live process of this pid; a zombie is none. */
export async function readProcess(pid: number): Promise<Process | undefined> {
  if (LINUX) return readStat(pid);
  return (await ps(['-p', String(pid)]))[0];
}

/** All live processes that this user may see. */
export async function readProcesses(): Promise<Process[]> {
  if (!LINUX) return ps(['-ax']);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => readStat(Number(pid)) ?? []);
}

/** A variable of a process, as its environment was at its exec; `undefined` where it has none of that name. */
export async function readVariable(pid: number, name: string): Promise<string | undefined> {
  if (!LINUX) return undefined;
  const text = await atOnce(() => readFile(`/proc/${pid}/environ`, 'latin1').catch(unlessOutOfFiles));
  const environ = `\0${text}`;
  const at = environ.indexOf(`\0${name}=`);
  if (at < 0) return undefined;
  const from = at + name.length + 2;
  return environ.slice(from, environ.indexOf('\0', from));
}

/** The command line of a process, for systems that show no environment; empty if it is gone. */
export async function readArguments(pid: number): Promise<string> {
  if (LINUX) return (await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')).replaceAll('\0', ' ');
  const options = { env: { ...process.env, LC_ALL: 'C' }, timeout: 5000, maxBuffer: 16_777_216 };
  return run('ps', ['-ww', '-p', String(pid), '-o', 'args='], options).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

/** A process that is gone or hides its environment has no mark; a manager without free descriptors does not know. */
function unlessOutOfFiles(error: NodeJS.ErrnoException): string {
  if (error.code === 'EMFILE' || error.code === 'ENFILE') throw error;
  return '';
}

/** Bytes of a process in memory; pages that it shares with others are counted with each of them. */
export async function readMemory({ pid, memory_bytes }: Process): Promise<number> {
  if (memory_bytes !== undefined) return memory_bytes;
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

let bootId: string | undefined;

/** Names this boot of the machine; empty where the system has no name for it. It lasts as long as this process. */
export function readBootId(): string {
  bootId ??= LINUX ? readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() : '';
  return bootId;
}

/** Sends a signal to exactly this process: nothing is sent where its pid belongs to another one by now. */
export async function signal(target: Pick<Process, 'pid' | 'start'>, name: NodeJS.Signals): Promise<void> {
  const now = await readProcess(target.pid);
  if (now?.start === target.start) sendTo(target.pid, name);
}

/** Sends a signal to a pid, or to a group where it is negative; a process that is gone already is not an error. */
export function sendTo(pid: number, name: NodeJS.Signals): void {
  // 0 is this process's own group, -1 everything, 1 and its group the whole machine or container.
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
  // proc(5); fields count from 1, and the name before the last ')' may hold anything.
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

/** Other systems: the session is unknown there, so the group stands for it. */
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
