import { writeFileSync } from 'node:fs';
import { progress, signal, taskId } from 'worker-manager';

interface Sum {
  sum: number;
}

export function jsAdd(a: number, { b }: { b: number }): Sum {
  return { sum: a + b };
}

export const jsLater = async (ms: number): Promise<string> => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return `after ${ms}`;
};

export function jsSteps(count: number): unknown {
  for (let step = 0; step < count; step += 1) progress(step);
  console.log('printed');
  process.stdout.write('no newline');
  return [taskId(), process.pid];
}

export function jsTidy(path: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {}, 1000);
    signal().addEventListener('abort', () => {
      clearInterval(timer);
      writeFileSync(path, 'cleaned up');
      resolve();
    });
    progress('begun');
  });
}

export const notAFunction = 1;
export class NorThis {}
