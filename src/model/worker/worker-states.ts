/** Values of a worker's status and of its desired state. Without zod, so that `wm ps` starts fast. */
export const WORKER_STATUSES = ['STARTING', 'RUNNING', 'STOPPED', 'FAILED'] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

/** Whether a worker with that status has ended for good; one that waits for its restart is STARTING. */
export const hasEnded = (status: string | undefined): boolean => status === 'STOPPED' || status === 'FAILED';

export const DESIRED_STATES = ['running', 'stopped', 'deleted'] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];
