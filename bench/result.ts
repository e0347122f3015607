/** One measured value and its goal. */
export interface Result {
  name: string;
  value: number;
  unit: string;
  /** Empty if the value is only reported. */
  goal: string;
  met: boolean;
  note?: string;
}

/** A value without a goal. */
export function reported(name: string, value: number, unit: string, note?: string): Result {
  return { name, value, unit, goal: '', met: true, ...(note && { note }) };
}

/** The given quantile. */
export function quantile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

/** The median of several runs: machines are shared, so a single run proves little. */
export const median = (values: number[]) => quantile(values, 0.5);
