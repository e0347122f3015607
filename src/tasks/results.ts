/** How a task ended. All but `completed` are tasks that failed; `failed` is an error of the handler. */
export const TASK_RESULTS = ['completed', 'failed', 'timeout', 'cancelled', 'lost', 'unreadable'] as const;
export type TaskResult = (typeof TASK_RESULTS)[number];
