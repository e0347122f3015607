import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { readDoorBytes, readDoorFault } from '../../http/doors/door-answer.ts';
import type { DoorCall } from '../../http/doors/door-service.ts';
import type { FileReport } from '../../model/doors/file.ts';
import { Fault } from '../../model/index.ts';
import { ANSWER_TEXT } from '../answer.ts';
import { defineTool, findWorker, type ToolCall } from '../tool.ts';
import { workerRef } from './inputs.ts';

const path = z.string().min(1).max(4096).describe('path of the file from the workspace, such as src/main.c');

/** A character of UTF-8 has up to 4 bytes, of which a part may end with at most 3. */
const LONGEST_REST = 3;

export const readFileTool = defineTool({
  name: 'read_file',
  title: 'Read a file of a worker',
  description:
    'Reads a file in the workspace of a worker, or a part of it. `next_offset` is where the next part begins; without it, this is the end. A part that is not UTF-8 is in `content_base64`.',
  input: z.strictObject({
    worker: workerRef,
    path,
    offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).describe('bytes to skip'),
    length: z.number().int().min(16).max(ANSWER_TEXT).default(ANSWER_TEXT).describe('bytes to read at most'),
  }),
  annotations: { readOnlyHint: true },
  async run({ worker, path, offset, length }, call) {
    const headers = { range: `bytes=${offset}-${offset + length - 1}` };
    const { answer, bytes } = await askForFile(call, { worker, path, method: 'GET', headers });
    // An empty file has no range, and neither has what is past the end.
    const { 'content-range': range } = answer.headers;
    const size = Number(/\/(\d+)$/.exec(range ?? '')?.[1] ?? Number.NaN);
    if (answer.statusCode === 416 && size <= offset) return { content: '', offset, size };
    if (answer.statusCode !== 206 && answer.statusCode !== 200) throw readDoorFault(bytes.toString());
    const total = Number.isNaN(size) ? bytes.length : size;
    const { fields, used } = toContent(bytes, offset + bytes.length < total);
    const next = offset + used;
    return { ...fields, offset, size: total, ...(next < total && { next_offset: next }) };
  },
});

export const writeFileTool = defineTool({
  name: 'write_file',
  title: 'Write a file of a worker',
  description:
    "Writes a file in the workspace of a worker, as the agent's user. It replaces a file at this path, and appears when it is complete. Missing folders are created.",
  input: z.strictObject({
    worker: workerRef,
    path,
    content: z.string().optional().describe('the whole content, as text'),
    content_base64: z.base64().optional().describe('the same, as bytes'),
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'must be permissions such as 0644')
      .optional()
      .describe('permissions, such as 0755'),
  }),
  annotations: { destructiveHint: true, idempotentHint: true },
  async run({ worker, path, content, content_base64, mode }, call) {
    if ((content === undefined) === (content_base64 === undefined))
      throw new Fault('invalid_command', 'content is required, or content_base64, but not both.');
    const body = content === undefined ? Buffer.from(content_base64 ?? '', 'base64') : Buffer.from(content);
    const query = mode === undefined ? '' : `?mode=${mode}`;
    const request = { worker, path, query, method: 'PUT', body };
    const { answer, bytes } = await askForFile(call, request);
    if (answer.statusCode !== 200 && answer.statusCode !== 201) throw readDoorFault(bytes.toString());
    const { size, mode: permissions, modified_at } = JSON.parse(bytes.toString()) as FileReport;
    return { path, size, mode: permissions, modified_at, created: answer.statusCode === 201 };
  },
});

async function askForFile(
  call: ToolCall,
  {
    worker,
    path,
    query = '',
    ...request
  }: Pick<DoorCall, 'method' | 'headers' | 'body'> & { worker: string; path: string; query?: string },
): Promise<{ answer: IncomingMessage; bytes: Buffer }> {
  if (path.startsWith('/'))
    throw new Fault('invalid_command', 'path must begin in the workspace, and not with a slash.');
  const { worker_id } = await findWorker(worker, call);
  const { services, signal } = call;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  try {
    const answer = await services.doors.request(worker_id, {
      kind: 'files',
      path: `/files/${encoded}${query}`,
      ...request,
      signal,
    });
    return { answer, bytes: await readDoorBytes(answer) };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** Bytes as text, if they are UTF-8. With `cut`, a character at their end may be incomplete; it is left out. */
function toContent(
  bytes: Buffer,
  cut: boolean,
): { fields: { content: string } | { content_base64: string }; used: number } {
  for (let rest = 0; rest <= (cut ? LONGEST_REST : 0); rest += 1) {
    const used = bytes.length - rest;
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return { fields: { content: decoder.decode(bytes.subarray(0, used)) }, used };
    } catch {
      // Not UTF-8 up to here.
    }
  }
  return { fields: { content_base64: bytes.toString('base64') }, used: bytes.length };
}
