import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { evaluateQuiet, readCpuSeconds } from '../../../worker-base/turns/hang-detector.ts';

const SILENCE = 10_000;
const quiet = { since: 1000, cpuSeconds: 5 };
const seen = { now: 11_000, signAt: 1000, toolOpen: false, cpuSeconds: 5.1 };

test.each([
  { what: 'silent for all the time', change: {}, silent: true },
  { what: 'not silent for so long yet', change: { now: 10_999 }, silent: false },
  { what: 'has said something since', change: { signAt: 1001 }, silent: false },
  { what: 'uses a tool', change: { toolOpen: true, now: 1e9 }, silent: false },
  { what: 'computes', change: { cpuSeconds: 5.2 }, silent: false },
  { what: 'has processes of which nothing is known', change: { cpuSeconds: undefined }, silent: true },
])('an agent that $what', ({ change, silent }) => {
  expect(evaluateQuiet(quiet, { ...seen, ...change }, SILENCE).silent).toBe(silent);
});

test('after a tool, and after work, the quiet time starts again', () => {
  const afterTool = evaluateQuiet(undefined, seen, SILENCE);
  expect(afterTool).toEqual({ quiet: { since: 11_000, cpuSeconds: 5.1 }, silent: false });
  const afterWork = evaluateQuiet(quiet, { ...seen, cpuSeconds: 6 }, SILENCE);
  expect(afterWork).toEqual({ quiet: { since: 11_000, cpuSeconds: 6 }, silent: false });
});

test.runIf(process.platform === 'linux')('the CPU of all that a process started is counted', async () => {
  const child = spawn('bash', ['-c', 'setsid bash -c "while :; do :; done" & wait'], { detached: true });
  const pid = child.pid ?? 0;
  await expect.poll(() => readCpuSeconds(pid) ?? 0, { timeout: 10_000 }).toBeGreaterThan(0.1);
  const worker = Number(
    await new Promise((resolve) => {
      const found = spawn('pgrep', ['-P', String(pid)]);
      found.stdout.once('data', (text) => resolve(String(text).trim()));
    }),
  );
  process.kill(worker, 'SIGKILL');
  process.kill(-pid, 'SIGKILL');
});
