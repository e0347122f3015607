/** Types of what the runner gives to handler files; see worker-manager.mjs. A copy beside the handlers serves editors. */
declare module 'worker-manager' {
  /** Reports the progress of the task: a number from 0 to 100, or any JSON. */
  export function progress(value: unknown): void;
  /** Fires when the task is cancelled or out of time; a grace later the process is killed. */
  export function signal(): AbortSignal;
  /** The id of the task that runs; undefined outside of one. */
  export function taskId(): string | undefined;
}
