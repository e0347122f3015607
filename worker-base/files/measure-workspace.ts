import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The size and the age of a workspace. */
export interface WorkspaceSize {
  /** Bytes on disk. */
  bytes: number;
  /** When a file or folder in it was last changed, in milliseconds since 1970; undefined if it is empty. */
  written_at: number | undefined;
}

/** Prints 512-byte blocks and the time of the last change of each file; does not enter other file systems. */
export const MEASURE = ['find', '.', '-mindepth', '1', '-xdev', '-printf', '%b %T@\n'];

/**
 * Measures a workspace with a helper command that runs as the agent's user, since an agent may have folders that only it can
 * read. Undefined if the command fails, or takes longer than `timeoutMs`.
 */
export function measureWorkspace(
  [program = '', ...args]: string[],
  workspace: string,
  timeoutMs: number,
): Promise<WorkspaceSize | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: workspace,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let [bytes, written] = [0, 0];
    createInterface(child.stdout).on('line', (line) => {
      const [blocks, at] = line.split(' ');
      bytes += 512 * (Number(blocks) || 0);
      written = Math.max(written, Number(at) || 0);
    });
    child.once('error', () => resolve(undefined));
    // 1: a file disappeared meanwhile.
    child.once('close', (code) =>
      resolve(
        code === 0 || code === 1
          ? { bytes, written_at: written > 0 ? Math.round(written * 1000) : undefined }
          : undefined,
      ),
    );
  });
}
