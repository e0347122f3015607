/** Texts of the OpenAPI document that no schema holds. */

/** What the operations of a tag are about. */
export const TAGS: Record<string, string> = {
  checkpoints: 'Saved copies of workspaces, from which new workers can start.',
  files: 'The files in the workspaces of workers: read, write, list, move, remove, archive and watch.',
  images: 'Worker images, which the manager builds when they are first needed.',
  nodes: 'Task workers with an API of their own.',
  pools: 'A fixed number of workers, or one that is scaled on their queue.',
  ports: 'Ports of workers: requests to programs that listen there, and links for browsers.',
  processes: 'Commands in the bodies of workers: run, attach, write, signal and kill.',
  stats: 'The cell in numbers.',
  streams: 'Output and history of workers as server-sent events.',
  'task API of nodes': 'The same operations as those of every task worker.',
  tasks: 'Units of work on the queues of pools.',
  terminals: 'Interactive programs in the bodies of workers: open, view, resize and close.',
  webhooks: 'Messages that report changes of workers.',
  workers: 'Ephemeral workers: one body with an agent or a program.',
};

/** The header of every change. */
export const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict.',
  schema: { type: 'string', pattern: '^[!-~]{1,128}$' },
};

/** Node's own answer, without a body, to an address and headers of more than 16 KiB together. */
export const ADDRESS_TOO_LONG = { description: 'The query and the headers are too long.' };

/** Errors of every change, and of those with a body. */
export const REFUSALS = {
  change: {
    403: 'The request comes from a page of another site.',
    409: 'The state does not allow it, the name is taken, or the key is that of another request.',
  },
  body: { 413: 'The body is too long.' },
};
