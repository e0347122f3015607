/** What a process is started with. */
export interface ExecOptions {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  /** Its whole input, or whether it stays open for more; without either it is at its end. */
  stdin?: Buffer | undefined;
  openStdin?: boolean | undefined;
  timeoutSeconds?: number | undefined;
  /** Bytes of output that are kept. */
  limit: () => number;
  /** Kills the processes that have left the group. */
  killRest: (group: number) => Promise<void>;
  /** Whether the kernel has just killed a process of the body for its memory. */
  outOfMemory: () => boolean | undefined;
  onOutput: () => void;
}
