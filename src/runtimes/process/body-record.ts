import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { workerId } from '../../model/index.ts';

/** The content of `body.json`. It never changes after it is written. */
const record = z.object({
  id: z.string(),
  cell: z.string(),
  worker_id: workerId,
  incarnation: z.number(),
  spec_hash: z.string(),
  spec: z.string(),
  epoch: z.number(),
  /** The identity of the store that the body was created for. */
  store: z.string().optional(),
  /** Milliseconds since 1970. */
  created_at: z.number(),
  argv: z.array(z.string()).min(1),
  /** Contains the body's own Redis credentials, so only the owner can read the file. */
  env: z.record(z.string(), z.string()),
  limits: z.object({
    memory_bytes: z.number().optional(),
    cpus: z.number().optional(),
    pids: z.number().optional(),
    open_files: z.number().optional(),
  }),
  /** ID of the workspace that it uses; absent if its files end with it. */
  workspace: workerId.optional(),
  /** Missing in bodies from before the worker's folder was separated from the manager's. */
  layout: z.literal(2).optional(),
});
export type BodyRecord = z.infer<typeof record>;

const ID = /^[0-9a-f]{12}-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Creates a body ID. It contains the worker's ID, so that the directory is found without an index. */
export const newBodyId = (worker: string) => `${randomBytes(6).toString('hex')}-${worker}`;
/** The worker's ID in a body's ID; `undefined` if it is not one of ours. */
export const parseBodyId = (bodyId: string) => ID.exec(bodyId)?.[1];

/** Parses a record; `undefined` if it does not belong to this cell and worker. */
export function parseRecord(text: string | undefined, cell: string, worker: string): BodyRecord | undefined {
  const made = record.safeParse(parseJson(text ?? ''));
  if (!made.success || made.data.cell !== cell || made.data.worker_id !== worker) return undefined;
  return parseBodyId(made.data.id) === worker ? made.data : undefined;
}

/**
 * Reconstructs a lost record from what the kernel knows. Its spec is empty, which means unreadable; its
 * incarnation of 0 is older than any wanted one.
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
