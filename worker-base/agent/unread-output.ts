import type { ChildProcess } from 'node:child_process';

/**
 * Keeps what a process prints until `release`, which is called once something reads its pipes. Node discards the output of
 * a process that has exited unless it has a listener.
 */
export function bufferUnread({ stdout, stderr }: ChildProcess): { release(): void } {
  const pipes = [stdout, stderr].filter((pipe) => pipe !== null);
  const keep = () => {};
  for (const pipe of pipes) pipe.on('readable', keep);
  return {
    release() {
      for (const pipe of pipes) pipe.off('readable', keep);
    },
  };
}
