/** The operations inside of a worker, as the rest of the SDK uses them. */
import type { PageOptions, RequestOptions } from './request-options.ts';
import type {
  ChangesQuery,
  CheckpointDetailsInfo,
  CheckpointInfo,
  CommandEvent,
  CommandRequest,
  FileEvent,
  FileInfo,
  Page,
  PortLinkInfo,
  ProcessInfo,
  TerminalEnd,
  TerminalInfo,
  TerminalRequest,
  UnpackedInfo,
} from './types.ts';

export interface CommandTransport {
  /** Runs a command while the caller reads; the last event is `exit`, and without it the connection was cut. */
  runProcess(id: string, request: CommandRequest, signal: AbortSignal): AsyncGenerator<CommandEvent>;
  startProcess(id: string, request: CommandRequest, options: RequestOptions): Promise<ProcessInfo>;
  /** The output of a process from an offset on, to its end. */
  readProcess(
    id: string,
    processId: string,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<CommandEvent>;
  listProcesses(id: string, options: RequestOptions): Promise<ProcessInfo[]>;
  killProcess(id: string, processId: string, options: RequestOptions): Promise<void>;
  writeToProcess(
    id: string,
    processId: string,
    bytes: Uint8Array,
    close: boolean,
    options: RequestOptions,
  ): Promise<void>;
}

/** What can be written to a file. */
export type FileContent = string | Uint8Array | Blob | ReadableStream<Uint8Array>;

/** How a file is written. */
export interface WriteFileOptions extends RequestOptions {
  /** Its permissions, such as `0o755`. */
  mode?: number | undefined;
  /** Replaces only the file with this `etag`; otherwise, it throws `conflict` (412) with the reason `changed`. */
  ifMatch?: string | undefined;
  /** `*` replaces nothing: if the file exists, it throws `conflict` (412) with the reason `exists`. */
  ifNoneMatch?: '*' | undefined;
}

/** Paths are percent-encoded, from the workspace. */
export interface FileTransport {
  /** Resolves when the content begins. `range` are the first and the last byte. */
  readFile(
    id: string,
    path: string,
    range: readonly [first: number, last: number | undefined] | undefined,
    options: RequestOptions,
  ): Promise<ReadableStream<Uint8Array>>;
  writeFile(id: string, path: string, content: FileContent, options: WriteFileOptions): Promise<FileInfo>;
  statFile(id: string, path: string, options: RequestOptions): Promise<FileInfo>;
  listFiles(id: string, path: string, options: PageOptions): Promise<Page<FileInfo>>;
  /** Returns whether it was created. */
  makeFolder(id: string, path: string, options: RequestOptions): Promise<boolean>;
  moveFile(id: string, path: string, to: string, options: RequestOptions): Promise<FileInfo>;
  removeFile(id: string, path: string, options: RequestOptions): Promise<void>;
  readArchive(id: string, path: string, options: RequestOptions): Promise<ReadableStream<Uint8Array>>;
  writeArchive(id: string, path: string, tar: FileContent, options: RequestOptions): Promise<UnpackedInfo>;
  /** One connection; the first event is `watching`. */
  watchFiles(id: string, path: string, recursive: boolean, signal: AbortSignal): AsyncGenerator<FileEvent>;
}

export interface CheckpointTransport {
  createCheckpoint(workerId: string, options: RequestOptions): Promise<CheckpointInfo>;
  /** Those of one worker, or all. */
  listCheckpoints(workerId: string | undefined, options: PageOptions): Promise<Page<CheckpointInfo>>;
  getCheckpoint(id: string, options: RequestOptions): Promise<CheckpointDetailsInfo>;
  deleteCheckpoint(id: string, options: RequestOptions): Promise<unknown>;
  downloadCheckpoint(id: string, signal: AbortSignal | undefined): Promise<ReadableStream>;
  getChanges(workerId: string, query: ChangesQuery, options: RequestOptions): Promise<string>;
}

/** One connection to a terminal. */
export interface TerminalConnection {
  /** Bytes are typed, and a text is a frame of its own. Dropped if the connection is broken. */
  send(data: Uint8Array | string): void;
  /** Calls back with all bytes, and each new size; resolves with the program's end, or nothing if the connection was cut. */
  read(
    onData: (bytes: Uint8Array) => void,
    onResize: (size: { cols: number; rows: number }) => void,
  ): Promise<TerminalEnd | undefined>;
  close(): void;
}

export interface TerminalTransport {
  openTerminal(id: string, request: TerminalRequest, options: RequestOptions): Promise<TerminalInfo>;
  listTerminals(id: string, options: RequestOptions): Promise<TerminalInfo[]>;
  closeTerminal(id: string, ptyId: string, options: RequestOptions): Promise<void>;
  /** Throws what the request for the terminal would throw if it cannot be viewed. */
  viewTerminal(
    id: string,
    ptyId: string,
    size: { cols: number; rows: number } | undefined,
  ): Promise<TerminalConnection>;
  /** The URL of a port, for requests with the token. */
  getPortUrl(id: string, port: number, path: string): string;
  createPortLink(id: string, port: number, options: RequestOptions): Promise<PortLinkInfo>;
}
