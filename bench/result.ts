/** One measured figure and what it is held against. */
export interface Result {
  name: string;
  value: number;
  unit: string;
  /** Empty where the figure is only reported. */
  goal: string;
  met: boolean;
  note?: string;
}

/** The middle of several runs: the machines that this is run on are shared, and one run tells little. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
