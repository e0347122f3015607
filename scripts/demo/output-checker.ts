/** The fields of an output entry that the check uses. */
export interface DemoEntry {
  seq: number;
  type: string;
  content: string;
}

/** Lines of the counting agent. */
const NUMBERED = /^line (\d+)$/;

/**
 * Checks the output of one worker: `seq` increases by one from 1, and the numbers that the agent printed increase by
 * one from 1. Pure.
 */
export class OutputChecker {
  /** `seq` of the last entry. */
  seq = 0;
  /** The last number that the agent printed. */
  lines = 0;
  /** Descriptions of lost, duplicated or reordered lines. */
  readonly faults: string[] = [];

  /** Checks the next entry of the stream; returns the numbers in it. */
  add({ seq, type, content }: DemoEntry): number[] {
    if (seq !== this.seq + 1) this.faults.push(`seq ${seq} follows seq ${this.seq}`);
    this.seq = seq;
    if (type === 'gap') this.faults.push(`a gap: ${content}`);
    if (type !== 'stdout') return [];
    const numbers = content
      .split('\n')
      .flatMap((line) => NUMBERED.exec(line)?.[1] ?? [])
      .map(Number);
    for (const number of numbers) {
      if (number !== this.lines + 1) this.faults.push(`line ${number} follows line ${this.lines}`);
      this.lines = number;
    }
    return numbers;
  }
}
