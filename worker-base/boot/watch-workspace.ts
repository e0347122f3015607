import { MEASURE, measureWorkspace } from '../files/measure-workspace.ts';

/** As HEALTH_CHECK_INTERVAL: the manager reads the size no more often than that by default. */
const EVERY_MS = 10_000;
/** The share of time that measuring may take is 1 to this. */
const SHARE = 50;
const LONGEST_MS = 60_000;

/** Measures the workspace again and again, but only after something has happened in the body. */
export function watchWorkspace(options: {
  helperCommand(argv: string[]): string[];
  workspace: string;
  /** When something last happened, in milliseconds since 1970. */
  activeAt: () => number;
  onSize: (bytes: number) => void;
}): void {
  const { helperCommand, workspace, activeAt, onSize } = options;
  let measuredAt = 0;
  const later = (ms: number): void => void setTimeout(() => void measure(), ms).unref();
  const measure = async () => {
    if (activeAt() < measuredAt) return later(EVERY_MS);
    measuredAt = Date.now();
    const began = performance.now();
    const size = await measureWorkspace(helperCommand(MEASURE), workspace, LONGEST_MS);
    if (size) onSize(size.bytes);
    return later(Math.max(EVERY_MS, SHARE * (performance.now() - began)));
  };
  void measure();
}
