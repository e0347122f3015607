/** A stream that can be read: of one worker, or the events of all. */
export type WorkerStream = { worker_id: string; of: 'output' | 'events' } | { of: 'all events' };
