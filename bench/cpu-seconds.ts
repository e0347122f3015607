import { readFileSync } from 'node:fs';

/** USER_HZ, which Linux fixes at 100 for user space. */
const TICKS_A_SECOND = 100;

/** User and system time of a process so far, in seconds. */
export function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
