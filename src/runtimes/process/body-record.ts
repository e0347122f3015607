import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { workerId } from '../../model/index.ts';

/** What `body.json` holds. It never changes once it is written. */
const record = z.object({
  id: z.string(),
  cell: z.string(),
  worker_id: workerId,
  incarnation: z.number(),
  spec_hash: z.string(),
  spec: z.string(),
  epoch: z.number(),
  /** The identity of the store that it was made for. */
  store: z.string().optional(),
  /** Milliseconds since 1970. */
  created_at: z.number(),
  argv: z.array(z.string()).min(1),
  /** With the body's own credentials for Redis: only the owner may read the file. */
  env: z.record(z.string(), z.string()),
  limits: z.object({
    memory_bytes: z.number().optional(),
    cpus: z.number().optional(),
    pids: z.number().optional(),
    open_files: z.number().optional(),
  }),
  /** Missing in bodies that were made before the worker's own folder was apart from the manager's. */
  layout: z.literal(2).optional(),
});
export type BodyRecord = z.infer<typeof record>;

const ID = /^[0-9a-f]{12}-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** A new body's id. It holds its worker's id, so that the directory is found without an index. */
export const newBodyId = (worker: string) => `${randomBytes(6).toString('hex')}-${worker}`;
/** The worker's id in a body's id, or `undefined` if it is not an id of ours. */
export const parseBodyId = (bodyId: string) => ID.exec(bodyId)?.[1];

/** The record in a file's text, or `undefined` if it is not one of this cell and worker. */
export function parseRecord(text: string | undefined, cell: string, worker: string): BodyRecord | undefined {
  const made = record.safeParse(parseJson(text ?? ''));
  if (!made.success || made.data.cell !== cell || made.data.worker_id !== worker) return undefined;
  return parseBodyId(made.data.id) === worker ? made.data : undefined;
}

/**
 * The record of a body whose own is lost, as far as the kernel knows it. Its spec is empty, which means unreadable; an
 * incarnation of 0 is older than any that is wanted.
 */
export function lostRecord(id: string, cell: string, incarnation = 0, created_at = 0): BodyRecord {
  const nothing = { spec_hash: '', spec: '', epoch: 0, argv: ['?'], env: {}, limits: {} };
  return { id, cell, worker_id: parseBodyId(id) ?? '', incarnation, created_at, ...nothing };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
