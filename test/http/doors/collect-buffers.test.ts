import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MODULE = join(import.meta.dirname, '..', '..', '..', 'src', 'http', 'doors', 'collect-buffers.ts');

/** A process with a heap like that of a manager that has run for a while; prints how often it marked it for 375 MiB. */
const PROGRAM = `
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { countPassed } from ${JSON.stringify(MODULE)};
globalThis.live = Array.from({ length: 150_000 }, (_, at) => ({ at, text: 'x' + at }));
for (let n = 0; n < 3; n += 1) { gc(); await delay(100); }
let marks = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) marks += 1;
}).observe({ entryTypes: ['gc'] });
for (let n = 0; n < 6000; n += 1) {
  countPassed(Buffer.allocUnsafeSlow(65_536).length);
  // The pace of a stream: V8 marks in steps between its parts.
  if (n % 4 === 0) await delay(1);
}
await delay(10);
console.log(marks);
`;

test('a large stream does not make V8 mark the heap again and again', async () => {
  const argv = ['--expose-gc', '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  expect(Number(stdout)).toBeLessThanOrEqual(4);
});
