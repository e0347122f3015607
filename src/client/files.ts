/** The files in the workspace of a worker. */
import { checkMode, toFileContent } from './check-values.ts';
import type { ClientContext } from './client-context.ts';
import type { FileContent, WriteFileOptions } from './door-transports.ts';
import { ManagerError } from './errors.ts';
import type { RequestOptions } from './request-options.ts';
import type { FileEvent, FileInfo, UnpackedInfo } from './types.ts';

/**
 * A path from the workspace, such as `src/app.py`, or an absolute one in it. An entry of a list is a path too, also if its name is
 * not UTF-8.
 */
export type FilePath = string | Pick<FileInfo, 'path'>;

/** What can be written: text, bytes in any form, or a stream of them. */
export type FileData = FileContent | ArrayBuffer | ArrayBufferView;

/** A part of a file: the first byte, and the last one, by default that of the file. */
export interface FileRange {
  first: number;
  last?: number | undefined;
}

export interface WatchOptions {
  /** Whether folders in the folder are watched too. */
  recursive?: boolean | undefined;
  /** Called once at the end, with the error if the connection was cut. */
  onExit?: ((error?: unknown) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A folder that is being watched. */
export interface WatchHandle {
  stop(): void;
}

export class FileCollection {
  readonly #context: ClientContext;
  readonly #workerId: string;

  constructor(context: ClientContext, workerId: string) {
    this.#context = context;
    this.#workerId = workerId;
  }

  /**
   * Reads a file: as text (the default), as `bytes` or as a `stream`. Throws a `ManagerError`: `not_found` with the reason `no_file`,
   * `conflict` if it is a folder, `invalid_command` with the reason `outside_workspace`.
   */
  read(path: FilePath, options?: ReadFileOptions & { format?: 'text' }): Promise<string>;
  read(path: FilePath, options: ReadFileOptions & { format: 'bytes' }): Promise<Uint8Array>;
  read(path: FilePath, options: ReadFileOptions & { format: 'stream' }): Promise<ReadableStream<Uint8Array>>;
  async read(
    path: FilePath,
    { format = 'text', range, ...options }: ReadFileOptions & { format?: 'text' | 'bytes' | 'stream' } = {},
  ): Promise<string | Uint8Array | ReadableStream<Uint8Array>> {
    if (!FORMATS.includes(format))
      throw new ManagerError('invalid_command', `format must be one of ${FORMATS.join(', ')}.`);
    const part = range && ([range.first, range.last] as const);
    const stream = await this.#transport.readFile(this.#workerId, encodePath(path), part, options);
    if (format === 'stream') return stream;
    const content = new Response(stream);
    return format === 'text' ? await content.text() : new Uint8Array(await content.arrayBuffer());
  }

  /**
   * Writes a file, of any size. It appears when it is complete, and replaces one that exists. Missing folders are created. With
   * `ifMatch`, it replaces only the version that has this `etag`, and with `ifNoneMatch: '*'` no file at all.
   */
  async write(path: FilePath, content: FileData, options: WriteFileOptions = {}): Promise<FileInfo> {
    checkMode(options.mode);
    const bytes = toFileContent(content);
    return this.#transport.writeFile(this.#workerId, encodePath(path), bytes, options);
  }

  /** What is in a folder, by default the workspace, in the order of the names. */
  async list(path: FilePath = '', options: RequestOptions = {}): Promise<FileInfo[]> {
    const items: FileInfo[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await this.#transport.listFiles(this.#workerId, encodePath(path), {
        ...options,
        limit: PAGE,
        cursor,
      });
      items.push(...page.items);
      if (page.next_cursor === null) return items;
      cursor = page.next_cursor;
    }
  }

  /** Whether there is a file or folder. */
  async exists(path: FilePath, options: RequestOptions = {}): Promise<boolean> {
    try {
      await this.getInfo(path, options);
      return true;
    } catch (error) {
      if (error instanceof ManagerError && ABSENT.has(error.reason)) return false;
      throw error;
    }
  }

  /** Type, size, permissions, owner and time. Symbolic links are followed. */
  getInfo(path: FilePath, options: RequestOptions = {}): Promise<FileInfo> {
    return this.#transport.statFile(this.#workerId, encodePath(path), options);
  }

  /** Creates a folder and those above it; returns false if it exists. */
  makeDir(path: FilePath, options: RequestOptions = {}): Promise<boolean> {
    return this.#transport.makeFolder(this.#workerId, encodePath(path), options);
  }

  /** Moves a file or folder, and replaces a file that exists. */
  rename(path: FilePath, newPath: FilePath, options: RequestOptions = {}): Promise<FileInfo> {
    return this.#transport.moveFile(this.#workerId, encodePath(path), encodePath(newPath), options);
  }

  /** Removes a file, or a folder with all in it. */
  remove(path: FilePath, options: RequestOptions = {}): Promise<void> {
    return this.#transport.removeFile(this.#workerId, encodePath(path), options);
  }

  /** Calls `onEvent` with the changes in a folder, from now on. */
  async watchDir(
    path: FilePath,
    onEvent: (event: FileEvent) => void,
    { recursive = false, onExit, signal }: WatchOptions = {},
  ): Promise<WatchHandle> {
    const stop = new AbortController();
    const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const events = this.#transport.watchFiles(this.#workerId, encodePath(path), recursive, both);
    // It is `watching`: what changes from now on is reported.
    await events.next();
    const follow = async () => {
      for await (const event of events) onEvent(event);
    };
    void follow().then(
      () => onExit?.(),
      (error: unknown) => onExit?.(both.aborted ? undefined : error),
    );
    return { stop: () => stop.abort() };
  }

  /** A folder as a tar archive, with names relative to it. */
  readArchive(path: FilePath, options: RequestOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return this.#transport.readArchive(this.#workerId, encodePath(path), options);
  }

  /** Unpacks a tar archive into a folder, which is created if it is missing. */
  async writeArchive(path: FilePath, tar: FileData, options: RequestOptions = {}): Promise<UnpackedInfo> {
    const bytes = toFileContent(tar);
    return this.#transport.writeArchive(this.#workerId, encodePath(path), bytes, options);
  }

  get #transport() {
    return this.#context.transport;
  }
}

interface ReadFileOptions extends RequestOptions {
  range?: FileRange | undefined;
}

const FORMATS = ['text', 'bytes', 'stream'];
const PAGE = 1000;
const ABSENT = new Set<string | undefined>(['no_file', 'not_a_directory']);

/** For a URL. As one name, with its slashes encoded, if a URL would change it: `..`, or an absolute path. */
function encodePath(path: FilePath): string {
  if (typeof path !== 'string') return path.path;
  const parts = path.split('/');
  if (parts.every((part) => part !== '' && part !== '.' && part !== '..'))
    return parts.map(encodeURIComponent).join('/');
  return path === '' ? '' : encodeURIComponent(/^\.\.?$/.test(path) ? `./${path}` : path);
}
