import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** How a process ended: with an exit code, or by a signal. */
export interface Exit {
  code: number | null;
  /** Such as `SIGTERM`; a real-time signal is `SIGRTMIN` or `SIGRTMIN+N`, which Node has no name for. */
  signal: string | null;
}

/** The first real-time signal that programs may use; the C library keeps 32 and 33 for itself. */
const RTMIN = 34;
const FIRST_REAL_TIME = 32;

/** Whether Node reports a process that this signal ended as one that exited with code 0. */
export const isRealTime = (signal: number): boolean => signal >= FIRST_REAL_TIME;

/** The name of a real-time signal. */
export function realTimeName(signal: number): string {
  if (signal < RTMIN) return `SIG${signal}`;
  return signal === RTMIN ? 'SIGRTMIN' : `SIGRTMIN+${signal - RTMIN}`;
}

function toSignalNumber(signal: string): number {
  const [, offset] = /^SIGRTMIN(?:\+(\d+))?$/.exec(signal) ?? [];
  if (signal.startsWith('SIGRTMIN')) return RTMIN + Number(offset ?? 0);
  const plain = /^SIG(\d+)$/.exec(signal)?.[1];
  return plain === undefined ? (constants.signals[signal as NodeJS.Signals] ?? 0) : Number(plain);
}

/** The exit code that a shell would report for such an end. */
export function getExitCode({ code, signal }: Exit): number {
  return code ?? 128 + (signal ? toSignalNumber(signal) : 0);
}

/** For people: how the agent's process ended. */
export function describeExit({ code, signal }: Exit): string {
  return signal ? `The agent was ended by ${signal}.` : `The agent exited with code ${code}.`;
}

/**
 * The signal that is ending a process of ours, from its raw wait status in /proc (the 52nd field of
 * proc_pid_stat(5)).
 */
export function endingSignal(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const signal = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[49]) & 0x7f;
    return signal === 0 || signal === 0x7f ? undefined : signal;
  } catch {
    return undefined;
  }
}
