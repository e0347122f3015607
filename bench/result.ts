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

/** A figure that is held against nothing. */
export function reported(name: string, value: number, unit: string, note?: string): Result {
  return { name, value, unit, goal: '', met: true, ...(note && { note }) };
}

/** The value below which that share of them lies. */
export function quantile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

/** The median of several runs: machines are shared, so a single run proves little. */
export const median = (values: number[]) => quantile(values, 0.5);
