/**
 * Requests for files on the input stream, for an orchestrator that has only Redis: each is answered by entries `file`, the last of
 * which has `last`.
 *
 * Invariants: each request has exactly one last entry unless the body is killed; a write is acknowledged when it is done, so that
 * the next body repeats one that was cut, which gives the same file; memory and output are bounded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { FileReport } from '../../src/model/doors/file.ts';
import { encodeFilePath, splitPath } from '../../src/model/doors/file-path.ts';
import { Fault, type FaultCode } from '../../src/model/values/fault.ts';
import { FILE_MESSAGE_BYTES, REQUEST_ID_LIMIT } from '../../src/model/values/limits.ts';
import { toContent } from '../exec/format.ts';
import { PIECE_BYTES } from '../streams/limits.ts';
import type { OutputQueue } from '../streams/output-queue.ts';
import type { BodyFiles } from './body-files.ts';

/** Requests at once, each with up to 8 MiB. */
const MOST = 4;
/** Requests that wait. */
const WAITING = 64;
/** Time in milliseconds between two looks whether Redis has taken the output. */
const POLL_MS = 20;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const FIELDS = {
  read_file: ['type', 'path', 'request_id', 'offset', 'length'],
  write_file: ['type', 'path', 'request_id', 'content', 'content_base64', 'mode'],
};

type Message = Record<string, unknown>;

export class FileInput {
  readonly #files: BodyFiles;
  readonly #output: Pick<OutputQueue, 'emit' | 'emitEvent' | 'full'>;
  readonly #acknowledge: (id: string) => Promise<void>;
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  constructor(options: {
    files: BodyFiles;
    output: Pick<OutputQueue, 'emit' | 'emitEvent' | 'full'>;
    acknowledge: (id: string) => Promise<void>;
  }) {
    this.#files = options.files;
    this.#output = options.output;
    this.#acknowledge = options.acknowledge;
  }

  handle(entryId: string, message: Message): void {
    const run = this.#run(entryId, message);
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }

  /** Resolves when all requests have their last entry. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(entryId: string, message: Message): Promise<void> {
    const { request_id: requestId, path } = message;
    const isText = typeof requestId === 'string' && requestId.length <= REQUEST_ID_LIMIT;
    const about = {
      ...(isText && { request_id: requestId }),
      entry_id: entryId,
      operation: message.type === 'read_file' ? 'read' : 'write',
      ...(typeof path === 'string' && { path: path.slice(0, 4096) }),
    };
    try {
      checkMessage(message);
      await this.#enter();
      try {
        if (message.type === 'read_file') await this.#read(message, about);
        else await this.#write(message, about);
      } finally {
        this.#leave();
      }
    } catch (error) {
      const fault = error instanceof Fault ? error : new Fault('internal', 'The request failed in the body.');
      this.#output.emit('file', fault.message, {
        ...about,
        last: true,
        code: fault.code,
        error: fault.message,
        ...(fault.reason && { reason: fault.reason }),
        ...(fault.issues && { issues: fault.issues }),
      });
    }
    void this.#acknowledge(entryId);
  }

  async #read(message: Message, about: object): Promise<void> {
    const from = (message.offset as number | undefined) ?? 0;
    const length = message.length as number | undefined;
    const bytes = await this.#ask('GET', message, {
      headers: { range: `bytes=${from}-${length === undefined ? '' : from + length - 1}` },
    });
    const { size, content } = bytes;
    for (let at = 0; ; at += PIECE_BYTES) {
      const piece = content.subarray(at, at + PIECE_BYTES);
      const last = at + PIECE_BYTES >= content.length;
      while (this.#output.full) await delay(POLL_MS);
      const { content: text, ...rest } = toContent(piece);
      this.#output.emitEvent('file', text, {
        ...about,
        offset: from + at,
        size,
        ...rest,
        ...(last && { last }),
      });
      if (last) return;
    }
  }

  async #write(message: Message, about: object): Promise<void> {
    const { content, content_base64: base64, mode } = message as { [field: string]: string | undefined };
    const body = base64 === undefined ? Buffer.from(content ?? '') : Buffer.from(base64, 'base64');
    const room = await this.#files.room.bytes();
    const answer = await this.#ask('PUT', message, {
      body,
      query: mode === undefined ? '' : `?mode=${mode}`,
      headers: {
        'content-length': String(body.length),
        ...(room !== undefined && { 'x-workspace-room': String(room) }),
      },
    });
    this.#files.room.changed();
    const {
      size,
      mode: actual,
      uid,
      gid,
      modified_at,
      etag,
    } = JSON.parse(answer.content.toString()) as FileReport;
    this.#output.emit('file', '', { ...about, last: true, size, mode: actual, uid, gid, modified_at, etag });
  }

  /** Sends a request to the helper; throws a Fault if it is refused, or too long for the stream. */
  async #ask(
    method: string,
    message: Message,
    { query = '', ...options }: { query?: string; headers: Record<string, string>; body?: Buffer },
  ): Promise<{ size: number; content: Buffer }> {
    const path = message.path as string;
    const names = encodeFilePath(splitPath(Buffer.from(path)));
    const response = await this.#files.helper.request(
      method,
      `/files/${path.startsWith('/') ? '/' : ''}${names}${query}`,
      options,
    );
    const status = response.statusCode ?? 0;
    const whole = Number(response.headers['x-file-size'] ?? 0);
    // There is no range of an empty file.
    if (status === 416 && whole === 0 && message.offset === undefined) {
      response.resume();
      return { size: 0, content: Buffer.alloc(0) };
    }
    if (status < 300 && Number(response.headers['content-length'] ?? 0) > FILE_MESSAGE_BYTES) {
      response.destroy();
      throw new Fault(
        'invalid_command',
        `The file has ${whole} bytes. Over Redis, at most ${FILE_MESSAGE_BYTES} can be read at once: give offset and length, or use the HTTP API.`,
        { reason: 'too_large' },
      );
    }
    const parts: Buffer[] = [];
    for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
    const content = Buffer.concat(parts);
    if (status < 300) return { size: whole, content };
    const { error } = JSON.parse(content.toString()) as {
      error: { code: FaultCode; message: string; reason?: string };
    };
    throw new Fault(error.code, error.message, error.reason ? { reason: error.reason } : {});
  }

  async #enter(): Promise<void> {
    if (this.#active < MOST) {
      this.#active += 1;
      return;
    }
    if (this.#waiting.length >= WAITING)
      throw new Fault(
        'capacity',
        `${MOST + WAITING} requests for files from the input stream are open. Try again later.`,
      );
    // The place is passed on.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#active -= 1;
  }
}

/** The rules of the model's `fileMessage`, without zod; a test compares the two. */
export function checkMessage(message: Message): void {
  const wrong = (path: string, text: string) => {
    throw new Fault('invalid_command', `The request was refused: ${path} ${text}.`, {
      issues: [{ path, message: text }],
    });
  };
  const type = message.type as keyof typeof FIELDS;
  for (const name of Object.keys(message))
    if (!FIELDS[type].includes(name)) wrong(name, 'is not a known field');
  const { path, request_id: id, offset, length, content, content_base64: base64, mode } = message;
  if (typeof path !== 'string' || path === '' || path.length > 4096)
    wrong('path', 'must be a path of at most 4096 characters');
  if (id !== undefined && (typeof id !== 'string' || id.length > REQUEST_ID_LIMIT))
    wrong('request_id', `must be a string of at most ${REQUEST_ID_LIMIT} characters`);
  const isCount = (value: unknown, least: number) =>
    Number.isSafeInteger(value) && (value as number) >= least;
  if (offset !== undefined && !isCount(offset, 0)) wrong('offset', 'must be a number of bytes');
  if (length !== undefined && (!isCount(length, 1) || (length as number) > FILE_MESSAGE_BYTES))
    wrong('length', `must be a number from 1 to ${FILE_MESSAGE_BYTES}`);
  if (content !== undefined && (typeof content !== 'string' || content.length > FILE_MESSAGE_BYTES))
    wrong('content', `must be a string of at most ${FILE_MESSAGE_BYTES} bytes`);
  const longest = Math.ceil(FILE_MESSAGE_BYTES / 3) * 4;
  if (base64 !== undefined && (typeof base64 !== 'string' || base64.length > longest || !BASE64.test(base64)))
    wrong('content_base64', `must be base64 of at most ${FILE_MESSAGE_BYTES} bytes`);
  if (type === 'write_file' && (content === undefined) === (base64 === undefined))
    wrong('content', 'is required, or `content_base64`, but not both');
  if (mode !== undefined && (typeof mode !== 'string' || !/^0?[0-7]{3}$/.test(mode)))
    wrong('mode', 'must be three octal digits such as 644');
}
