/** What a body reports about a terminal. Imports nothing, because the wrapper bundles it. */
export interface TerminalReport {
  pty_id: string;
  status: 'running' | 'ended';
  command: string[];
  cwd: string;
  pid: number;
  cols: number;
  rows: number;
  /** Clients that view it. */
  viewers: number;
  started_at: string;
  ended_at?: string;
  exit_code?: number;
  signal?: string | null;
}
