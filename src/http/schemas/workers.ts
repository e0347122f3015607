/** Schemas of workers over HTTP. */
import { z } from 'zod';
import {
  AGENT_TYPES,
  nameBy,
  PROMPT_DEADLINE_SECONDS,
  RUNTIME_NAMES,
  TEXT_LIMIT,
  WORKER_NAME,
  WORKER_STATUSES,
  workerView,
} from '../../model/index.ts';

/** Every ID is a name by its characters. */
export const workerParams = z.object({
  worker_id: nameBy(WORKER_NAME).describe('ID of the worker, or its name'),
});

/** A worker that was created, with notes on its fields. */
export const createdWorker = workerView.extend({
  warnings: z.array(z.string()).optional().describe('fields that may not do what was intended'),
  runtime_reason: z.string().optional().describe('why `auto` chose the runtime'),
});

export const workerList = z.object({
  items: z.array(workerView),
  next_cursor: z
    .string()
    .nullable()
    .describe('for the next page; a page with filters may be short, or empty, although there are more'),
});

const many = <T extends z.ZodType>(one: T) =>
  z.preprocess(
    (value) => (value === undefined ? undefined : [value].flat()),
    z.array(one).max(20).optional(),
  );

/** The query of the list. Values of one filter are alternatives, except for labels; different filters must all match. */
export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(256).optional().describe('next_cursor of the previous page'),
  status: many(z.enum(WORKER_STATUSES)),
  phase: many(z.string().max(64)),
  agent_type: many(z.enum(AGENT_TYPES)),
  runtime: many(z.enum(RUNTIME_NAMES)),
  pool: many(z.string().max(63)),
  name: many(z.string().max(128)),
  label: many(z.string().max(1160)).describe('`name` or `name=value`'),
});

export const promptRequest = z.strictObject({
  content: z.string().min(1).max(TEXT_LIMIT).describe('the prompt'),
  deadline_seconds: z
    .number()
    .positive()
    .max(PROMPT_DEADLINE_SECONDS)
    .optional()
    .describe('time limit of the turn'),
  retry: z
    .boolean()
    .optional()
    .describe(
      'whether the turn is begun again if the body ends during it; otherwise it fails as `body_lost`',
    ),
});

export const promptAccepted = z.object({
  request_id: z.string().describe('the `request_id` of the entries of its turn'),
  worker_id: z.string(),
});

/** An entry of a worker's output. */
export const outputEntry = z
  .looseObject({
    seq: z.number().int(),
    incarnation: z.number().int(),
    type: z.string(),
    content: z.string(),
    timestamp: z.string(),
    request_id: z.string().optional(),
  })
  .meta({ id: 'OutputEntry', description: "An entry of a worker's output." });

/** A worker that was deleted, or will be. */
export const deletedWorker = z.object({ worker_id: z.string() });
