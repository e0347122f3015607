/** What the doors of bodies answer to requests for archives, and how those fail. */
import type { IncomingMessage } from 'node:http';
import { ARCHIVE_WARNINGS, errorMessage, Fault, type FaultCode } from '../model/index.ts';
import { isFull } from './directory-files.ts';

/** Warnings of a body that are stored, and characters of each. */
const WARNINGS = 20;
const WARNING_CHARACTERS = 300;
const ERROR_BYTES = 64 * 1024;
/** Errors of a connection that was cut. */
const CUT = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);
const REASON = 'CheckpointFailed';

/** Throws the error that a door has answered with. */
export async function expectOk(answer: IncomingMessage, drain = true): Promise<void> {
  if (answer.statusCode === 200) {
    if (drain) answer.resume();
    return;
  }
  const text = (await readError(answer).catch(() => undefined)) as
    | { error?: { code?: FaultCode; message?: string; reason?: string } }
    | undefined;
  const {
    code = 'internal',
    message = `the body answered with ${answer.statusCode}`,
    reason,
  } = text?.error ?? {};
  throw new Fault(code, message, reason === undefined ? {} : { reason });
}

/** JSON of limited size, because a body writes it. */
async function readError(answer: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > ERROR_BYTES) break;
  }
  return JSON.parse(Buffer.concat(parts).toString());
}

/** What a body reports is read within limits. */
export function readWarnings(answer: IncomingMessage): string[] {
  try {
    const value: unknown = JSON.parse(String(answer.trailers[ARCHIVE_WARNINGS]));
    if (!Array.isArray(value)) return [];
    return value
      .filter((one) => typeof one === 'string')
      .slice(0, WARNINGS)
      .map((one) => one.slice(0, WARNING_CHARACTERS));
  } catch {
    return [];
  }
}

/** The error of a checkpoint that could not be stored. */
export function toCheckpointFault(error: unknown, workerId: string): Fault {
  if (error instanceof Fault) return new Fault(error.code, error.message, { cause: error, reason: REASON });
  if (isFull(error))
    return new Fault(
      'capacity',
      `The checkpoint of worker ${workerId} could not be stored: CHECKPOINT_DIR is full.`,
      {
        cause: error,
        reason: REASON,
      },
    );
  if (CUT.has((error as NodeJS.ErrnoException).code ?? ''))
    return new Fault(
      'unavailable',
      `The connection to worker ${workerId} was cut before its files were saved.`,
      {
        cause: error,
        reason: 'body_lost',
      },
    );
  return new Fault(
    'unavailable',
    `The checkpoint of worker ${workerId} could not be stored in CHECKPOINT_DIR: ${errorMessage(error)}.`,
    { cause: error, reason: REASON },
  );
}
