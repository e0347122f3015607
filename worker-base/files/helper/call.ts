/** A request to the helper, and what its handlers share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseFilePath } from '../../../src/model/doors/file-path.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import { drained } from '../../exec/drained.ts';
import { toFileFault } from './file-fault.ts';
import type { FilePlace, LocateOptions, WorkspaceFolder } from './place.ts';

export interface FileCall {
  workspace: WorkspaceFolder;
  request: IncomingMessage;
  response: ServerResponse;
  /** The path, percent-encoded. */
  path: string;
  query: FileQuery;
}

/** The query with its values as they were sent: a path in it need not be UTF-8. */
export type FileQuery = ReadonlyMap<string, string>;

export const parseQuery = (search: string): FileQuery =>
  new Map(
    search
      .split('&')
      .filter((part) => part !== '')
      .map((part) => {
        const at = part.indexOf('=');
        return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1).replaceAll('+', '%20')];
      }),
  );

/** Finds the path of a call, calls `act` and closes it; errors of the system become Faults about that path. */
export async function withPlace<T>(
  { workspace, path }: Pick<FileCall, 'workspace' | 'path'>,
  options: LocateOptions,
  act: (place: FilePlace) => T | Promise<T>,
): Promise<T> {
  const parsed = parseFilePath(path);
  let place: FilePlace | undefined;
  try {
    place = workspace.find(parsed, options);
    return await act(place);
  } catch (error) {
    throw toFileFault(error, place?.path ?? path);
  } finally {
    place?.close();
  }
}

/** The permissions in a query, such as `0644`; undefined without them. */
export function readMode(query: FileQuery): number | undefined {
  const text = query.get('mode');
  if (text === undefined) return undefined;
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  const message = 'must be three octal digits such as 644';
  throw new Fault('invalid_command', `The request was refused: mode ${message}.`, {
    issues: [{ path: 'mode', message }],
  });
}

/** Writes to a client as fast as it reads; resolves when more can be written, or it has gone. */
export async function writeTo(response: ServerResponse, bytes: Buffer | string): Promise<void> {
  if (!response.destroyed && !response.write(bytes) && !response.destroyed) await drained(response);
}
