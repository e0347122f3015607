/**
 * Reports changes in a folder as server-sent events.
 *
 * Each folder is watched by its descriptor, so that no link leads the watch out of the workspace. Invariants: a client that misses
 * changes gets one event `overflow`, which says that it has to list again; memory, watches and events are bounded.
 */
import { closeSync, type FSWatcher, fstatSync, readFileSync, watch } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { encodeFilePath } from '../../../src/model/doors/file-path.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import { type FileCall, withPlace } from './call.ts';
import { toFileType } from './describe-file.ts';
import { isDraft } from './drafts.ts';
import { fileFault } from './file-fault.ts';
import { openNames, readNames } from './folders.ts';
import { inFolder, openFolder, statsOf } from './place.ts';

/** Folders that one request may watch; the kernel's limit for a user may be lower. */
const MOST_FOLDERS = 8192;
/** Bytes that may wait for a slow client. */
const WAITING_BYTES = 1024 ** 2;
/** A comment after this time without events, in milliseconds. */
const SILENCE_MS = 15_000;
/** Time in milliseconds between two looks whether the folder is still there. */
const CHECK_MS = 500;

/** GET: the events continue until the client or the folder has gone. */
export async function watchFolder(call: FileCall): Promise<void> {
  const { response, query } = call;
  await withPlace(call, { follow: true }, async (place) => {
    const stats = place.stats();
    if (!stats) throw fileFault('ENOENT', place.path);
    if (!stats.isDirectory()) throw fileFault('ENOTDIR', place.path);
    const root = openNames(place.file);
    const watcher = new Watcher(response, root, place.path, query.get('recursive') === 'true');
    try {
      watcher.begin();
      await watcher.ended;
    } finally {
      watcher.close();
      closeSync(root);
    }
  });
}

class Watcher {
  readonly ended: Promise<void>;
  readonly #response: ServerResponse;
  readonly #root: number;
  readonly #path: string;
  readonly #recursive: boolean;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #end = Promise.withResolvers<void>();
  #silence: NodeJS.Timeout | undefined;
  #check: NodeJS.Timeout | undefined;
  #overflown = false;
  /** Events since the system was last asked. */
  #burst = 0;

  constructor(response: ServerResponse, root: number, path: string, recursive: boolean) {
    this.#response = response;
    this.#root = root;
    this.#path = path;
    this.#recursive = recursive;
    this.ended = this.#end.promise;
    response.once('close', () => this.#end.resolve());
    response.on('drain', () => this.#resume());
  }

  /** Throws a Fault if the system can watch no more. */
  begin(): void {
    this.#add(this.#root, []);
    this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    this.#silence = setInterval(() => this.#response.write(': alive\n\n'), SILENCE_MS);
    this.#check = setInterval(() => this.#endIfGone(), CHECK_MS);
    this.#send('watching', { path: this.#path, recursive: this.#recursive });
  }

  close(): void {
    clearInterval(this.#silence);
    clearInterval(this.#check);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Watches an opened folder with those names below the root, and those in it. */
  #add(fd: number, names: readonly Buffer[], report = false): void {
    const key = encodeFilePath(names);
    if (this.#watchers.size >= MOST_FOLDERS) throw tooMany();
    this.#watchers.get(key)?.close();
    let watcher: FSWatcher;
    try {
      watcher = watch(inFolder(fd), { encoding: 'buffer' }, (event, name) =>
        this.#changed(names, event, name),
      );
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ENOSPC' || code === 'EMFILE' ? tooMany() : error;
    }
    watcher.on('error', () => this.#drop(key));
    this.#watchers.set(key, watcher);
    if (!this.#recursive && !report) return;
    for (const name of readNames(fd)) {
      const inner = [...names, name];
      const stats = statsOf(inFolder(fd, name));
      if (!stats) continue;
      // What was created before the folder was watched.
      if (report) this.#report('create', inner, toFileType(stats));
      if (stats.isDirectory()) this.#enter(fd, inner, report);
    }
  }

  #enter(folder: number, names: readonly Buffer[], report: boolean): void {
    let fd: number | undefined;
    try {
      fd = openNames(inFolder(folder, names.at(-1)));
      this.#add(fd, names, report);
    } catch (error) {
      if (error instanceof Fault) throw error;
      // It has gone again, or is not readable.
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  #changed(folder: readonly Buffer[], event: string, name: Buffer | null): void {
    this.#countBurst();
    if (!name || isDraft(name)) return;
    const names = [...folder, name];
    let fd: number | undefined;
    try {
      fd = this.#open(folder);
      this.#compare(fd, names, event);
    } catch (error) {
      if (error instanceof Fault) this.#overflow(error.message);
      // The folder itself was removed or replaced.
      else if (event !== 'change') this.#report('remove', names);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Reports what has become of a name in an opened folder. */
  #compare(folder: number, names: readonly Buffer[], event: string): void {
    const stats = statsOf(inFolder(folder, names.at(-1)));
    if (event === 'change') {
      if (stats) this.#report('write', names, toFileType(stats));
    } else if (stats) {
      this.#report('create', names, toFileType(stats));
      if (stats.isDirectory() && this.#recursive) this.#enter(folder, names, true);
    } else {
      this.#drop(encodeFilePath(names));
      this.#report('remove', names);
    }
  }

  /** Opens a folder below the root, never through a link. */
  #open(names: readonly Buffer[]): number {
    let fd = openFolder(this.#root, Buffer.from('.'));
    for (const name of names) {
      const parent = fd;
      try {
        fd = openFolder(parent, name);
      } finally {
        closeSync(parent);
      }
    }
    return fd;
  }

  /** Ends the events if the folder was removed, which the system does not report while it is open. */
  #endIfGone(): void {
    if (fstatSync(this.#root).nlink > 0 || this.#response.writableEnded) return;
    this.#send('remove', { path: this.#path, name: '', type: 'directory' });
    this.#response.end();
  }

  /** Stops watching a folder and those below it. */
  #drop(key: string): void {
    for (const [path, watcher] of this.#watchers) {
      if (path !== key && !path.startsWith(`${key}/`)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
  }

  /**
   * The kernel's queue for events is limited, and Node does not report that it was full. If it was, as many events as it holds
   * arrive at once.
   */
  #countBurst(): void {
    if (this.#burst === 0)
      setImmediate(() => {
        if (this.#burst >= queueLimit) this.#overflow('There were more changes than the system reports.');
        this.#burst = 0;
      });
    this.#burst += 1;
  }

  #report(event: string, names: readonly Buffer[], type?: string): void {
    const name = names.at(-1)?.toString() ?? '';
    const path = [this.#path, encodeFilePath(names)].filter((part) => part !== '').join('/');
    this.#send(event, { path, name, ...(type && { type }) });
  }

  #overflow(message: string): void {
    this.#send('overflow', { path: this.#path, message });
  }

  #send(event: string, data: object): void {
    if (this.#overflown || this.#response.destroyed || this.#response.writableEnded) return;
    if (this.#response.writableLength > WAITING_BYTES) {
      this.#overflown = true;
      return;
    }
    this.#silence?.refresh();
    this.#response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** The client has read what was waiting for it. */
  #resume(): void {
    if (!this.#overflown) return;
    this.#overflown = false;
    this.#overflow('There were more changes than the client has read.');
  }
}

const tooMany = () =>
  new Fault(
    'capacity',
    `The folder has more folders than can be watched: at most ${MOST_FOLDERS}, and those of fs.inotify.max_user_watches.`,
    { reason: 'too_many_watches' },
  );

const queueLimit = (() => {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || 16_384;
  } catch {
    return 16_384;
  }
})();
