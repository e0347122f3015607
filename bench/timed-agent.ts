/**
 * A program for Node that prints lines at an even rate, each with the current time in microseconds, from a clock that all
 * processes of the machine share.
 */
export const createTimedAgent = (lines: number, linesASecond: number): string => `
let sent = 0;
const begin = process.hrtime.bigint();
(function tick() {
  const due = Number(process.hrtime.bigint() - begin) / 1e9 * ${linesASecond};
  while (sent < due && sent < ${lines}) { process.stdout.write(process.hrtime.bigint() / 1000n + '\\n'); sent += 1; }
  if (sent < ${lines}) setTimeout(tick, 1); else process.stdin.resume();
})();`;

/** Milliseconds since each line of that program was printed. */
export function toLineTimes(content: string): number[] {
  const now = Number(process.hrtime.bigint() / 1000n);
  return content.split('\n').map((line) => (now - Number(line)) / 1000);
}
