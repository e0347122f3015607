/** What the ledger reads of an output entry. */
export interface Told {
  seq: number;
  type: string;
  content: string;
}

/** Lines of the counting agent. */
const NUMBERED = /^line (\d+)$/;

/**
 * Holds the output of one worker against its promise: `seq` rises by one from 1, and the numbers that the agent printed
 * rise by one from 1. Pure.
 */
export class Ledger {
  /** `seq` of the last entry. */
  seq = 0;
  /** The last number that the agent printed. */
  lines = 0;
  /** What was lost, doubled or out of order, in words. */
  readonly faults: string[] = [];

  /** Takes the next entry of the stream; answers the numbers that it carried. */
  add({ seq, type, content }: Told): number[] {
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
