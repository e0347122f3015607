/**
 * An example of each operation, in the order in which they can be sent to an empty cell. The OpenAPI document shows them, and
 * a test sends them to a manager.
 */
export interface OperationExample {
  params?: Record<string, string | number>;
  /** A list is sent as a repeated parameter. */
  query?: Record<string, string | number | string[]>;
  /** The JSON body. */
  body?: unknown;
  /** The status of the answer; 200 by default. */
  status?: number;
}

const pool = { name: 'text' };
const task = { task_id: 'count-1' };

const worker = { worker_id: '6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10' };
const anyProcess = { ...worker, process_id: '0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4' };
const anyTerminal = { ...worker, pty_id: '0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4' };
const checkpoint = { checkpoint_id: '3c9d1f7e-52b8-4a60-8e1d-7f0a2b4c6d98' };
const anyFile = { ...worker, path: 'notes/today.txt' };
const wait = { timeout_seconds: 30 };
/** Ends at the present end of a stream, instead of waiting for more. */
const present = { follow: 'false', tail: 10 };

/** By operation ID. */
export const EXAMPLES: Record<string, OperationExample> = {
  createWorker: {
    query: { wait: 'ready', ...wait },
    body: {
      ...worker,
      name: 'echo',
      agent_type: 'CUSTOM',
      instructions: '',
      allowed_commands: [],
      modules: [],
      command_line: ['cat'],
      labels: { team: 'blue' },
    },
    status: 201,
  },
  listWorkers: { query: { limit: 20, label: ['team=blue'] } },
  getWorker: { params: worker },
  getWorkerSpec: { params: worker },
  explainWorker: { params: worker },
  // The worker is a process, which has no image.
  getWorkerDockerfile: { params: worker, status: 422 },
  execInWorker: { params: worker, body: { shell: 'echo hello; exit 3', timeout_seconds: 10 } },
  listProcesses: { params: worker },
  getProcess: { params: anyProcess, status: 404 },
  streamProcessOutput: { params: anyProcess, query: { offset: 0, follow: 'false' }, status: 404 },
  writeToProcess: { params: anyProcess, query: { close: 'true' }, status: 404 },
  signalProcess: { params: anyProcess, body: { signal: 'SIGINT' }, status: 404 },
  deleteProcess: { params: anyProcess, status: 404 },
  openTerminal: { params: worker, body: { command: ['sleep', '60'], cols: 120, rows: 40 }, status: 201 },
  listTerminals: { params: worker },
  getTerminal: { params: anyTerminal, status: 404 },
  closeTerminal: { params: anyTerminal, status: 404 },
  viewTerminal: { params: worker, query: { cols: 120, rows: 40 }, status: 426 },
  getChanges: { params: worker, query: { since: 'head', format: 'names' } },
  createCheckpoint: { params: worker, status: 201 },
  listWorkerCheckpoints: { params: worker, query: { limit: 20 } },
  listCheckpoints: { query: { limit: 20 } },
  getCheckpoint: { params: checkpoint, status: 404 },
  downloadCheckpoint: { params: checkpoint, status: 404 },
  deleteCheckpoint: { params: checkpoint, status: 404 },
  writeFile: { params: anyFile, query: { mode: '644' }, status: 201 },
  readFile: { params: anyFile },
  headFile: { params: anyFile },
  postFile: { params: { ...worker, path: 'notes' }, query: { mkdir: '' } },
  deleteFile: { params: anyFile, status: 204 },
  readArchive: { params: { ...worker, path: 'notes' } },
  writeArchive: { params: { ...worker, path: 'notes' }, status: 400 },
  watchFiles: { params: { ...worker, path: 'missing' }, status: 404 },
  createPortLink: { params: { ...worker, port: 3000 }, status: 201 },
  connectToPort: { params: { ...worker, port: 3000 }, status: 426 },
  requestPort: { params: { ...worker, port: 3000, path: 'index.html' }, status: 503 },
  promptWorker: { params: worker, body: { content: 'hello' }, status: 202 },
  interruptWorker: { params: worker, status: 202 },
  stopWorker: { params: worker, query: { wait: 'stopped', ...wait } },
  startWorker: { params: worker, query: { wait: 'running', ...wait } },
  restartWorker: { params: worker, query: { reason: 'a new configuration' } },
  streamOutput: { params: worker, query: present },
  streamWorkerEvents: { params: worker, query: present },
  streamEvents: { query: { since: '10m', follow: 'false' } },
  deleteWorker: { params: worker, query: { wait: 'deleted', ...wait } },
  applyPool: {
    body: { name: 'text', count: 0, execution_mode: 'direct', commands: true, tasks: { max_retries: 1 } },
    status: 201,
  },
  putPool: { params: pool, body: { count: 0, execution_mode: 'direct', commands: true } },
  listPools: {},
  getPool: { params: pool },
  createTask: {
    body: {
      task_id: task.task_id,
      pool: 'text',
      payload: { command: ['wc', '-w', 'README.md'] },
      priority: 'high',
    },
    status: 202,
  },
  submitTask: { body: { task_id: 'count-2', pool: 'text', payload: { command: ['date'] } } },
  getTask: { params: task },
  getTaskOfAnyPool: { params: { task_id: 'count-2' } },
  listTasks: { query: { pool: 'text', status: 'queued', limit: 20 } },
  cancelTask: { params: task, query: { reason: 'no longer needed' } },
  retryTask: { params: task },
  cancelTaskOfAnyPool: { params: { task_id: 'count-2' } },
  listNodes: {},
  listImages: { status: 422 },
  getStats: {},
  listWebhooks: { query: { limit: 20 } },
  listUsage: {},
  scalePool: { params: pool, body: { count: 1 } },
  deletePool: { params: pool },
};
