import type { CrashPoint } from '../model/index.ts';

/**
 * For the crash tests: `act:create:after@2` ends this process with SIGKILL when it reaches that point for the
 * second time. If not set, there are no crash points.
 */
export function parseCrashPoint(text: string | undefined): CrashPoint | undefined {
  const [point, nth] = text?.split('@') ?? [];
  let left = Number(nth ?? 1);
  return point
    ? (passed) => {
        if (passed !== point) return;
        left -= 1;
        if (left === 0) process.kill(process.pid, 'SIGKILL');
      }
    : undefined;
}
