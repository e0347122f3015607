import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { basename, dirname, join, posix } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import type { FileReport } from '../../model/doors/file.ts';
import { encodeFilePath, splitPath } from '../../model/doors/file-path.ts';
import { Fault } from '../../model/values/fault.ts';
import { openRequest, requireApi, toWorkerPath } from '../api/door-api.ts';
import type { Context } from '../context.ts';
import type { ManagerApi } from '../deps.ts';
import { usageError } from '../exit.ts';
import { isFileError, statHere, untilDone } from './local-files.ts';

/** Bytes of a file that are read or written at once: with fewer, `wm cp` takes up to twice as long. */
const BATCH_BYTES = 1024 ** 2;

/** A path in a worker. */
interface Remote {
  api: ManagerApi;
  /** Of the worker, such as `/v1/workers/ID`. */
  worker: string;
  path: string;
}

export function cpCommand(context: Context): Command {
  return new Command('cp')
    .summary('copy files between this machine and a worker')
    .description(
      "Copy a file or folder to or from the workspace of a worker, of any size, as its agent's user. A path in a worker is ID:PATH, from the workspace. A folder is copied into a folder that exists, and otherwise gets the new name, as with cp -r; SRC/. copies what is in it. - is standard input or output: the content of a file, and for a folder (a destination that exists or ends with /) a tar archive.",
    )
    .argument('<source>', 'PATH, ID:PATH or -')
    .argument('<destination>', 'PATH, ID:PATH or -')
    .option('-n, --no-clobber', 'Fail instead of replacing a file; for single files')
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm cp src 3f2a:\n  $ wm cp 3f2a:report.pdf .\n  $ wm cp 3f2a:out - | tar t\n  $ echo hello | wm cp - 3f2a:notes/hello.txt',
    )
    .action((source: string, destination: string, { clobber }: { clobber: boolean }) =>
      copy(context, { source, destination, clobber }),
    );
}

interface Copy {
  source: string;
  destination: string;
  /** Whether a file may be replaced. */
  clobber: boolean;
}

async function copy(context: Context, { source, destination, clobber }: Copy): Promise<void> {
  const [from, to] = [parseRemote(source), parseRemote(destination)];
  if (!from === !to)
    throw usageError(
      'Exactly one of the two paths must be in a worker: write it as ID:PATH, and begin a path here that has a colon with ./',
    );
  const api = requireApi(context);
  const open = async ({ ref, path }: { ref: string; path: string }): Promise<Remote> => ({
    api,
    worker: await toWorkerPath(api, ref),
    path,
  });
  if (to) await upload(source, await open(to), clobber);
  else if (from) await download(await open(from), destination, clobber);
}

/** The parts of `ID:PATH`; undefined for a path on this machine. */
function parseRemote(text: string): { ref: string; path: string } | undefined {
  const [, ref, path] = /^([^:/.][^:/]*):(.*)$/s.exec(text) ?? [];
  return ref === undefined || path === undefined ? undefined : { ref, path };
}

async function upload(source: string, remote: Remote, clobber: boolean): Promise<void> {
  const target = await stat(remote);
  const isFolder = target?.type === 'directory' || /(^|\/)$/.test(remote.path);
  if (source === '-' && isFolder) requireClobber(clobber);
  if (source === '-')
    return send(remote, isFolder ? 'archive' : 'files', remote.path, process.stdin, { clobber });
  const local = statHere(source);
  if (!local.isDirectory()) {
    const path = isFolder ? posix.join(remote.path, basename(source)) : remote.path;
    const mode = (local.mode & 0o777).toString(8).padStart(3, '0');
    // A file that grows meanwhile is copied as it was, and one that shrinks is not copied.
    const size = local.isFile() && local.size > 0 ? local.size : undefined;
    const content = createReadStream(
      source,
      size === undefined ? {} : { end: size - 1, highWaterMark: BATCH_BYTES },
    );
    await send(remote, 'files', path, content, { mode, size, clobber });
    return;
  }
  requireClobber(clobber);
  if (target && target.type !== 'directory')
    throw new Fault('conflict', `${remote.path} is a file in the worker, and ${source} is a folder.`);
  const inside = isFolder && !/(^|\/)\.$/.test(source) && target !== undefined;
  const name = basename(source.replace(/\/+$/, ''));
  // `..` has no name of its own.
  const path = inside && name !== '..' ? posix.join(remote.path, name) : remote.path;
  const tar = spawn('tar', ['-cf', '-', '-C', source, '.'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let refused = false;
  const sending = send(remote, 'archive', path, tar.stdout).catch((error: unknown) => {
    // What goes wrong here makes the archive a bad one, but only after tar has ended.
    refused = tar.exitCode === null;
    throw error;
  });
  const [packed, sent] = await Promise.allSettled([untilDone(tar), sending]);
  if (packed.status === 'rejected' && !refused) throw packed.reason;
  if (sent.status === 'rejected') throw sent.reason;
}

async function download(remote: Remote, destination: string, clobber: boolean): Promise<void> {
  const info = await stat(remote);
  if (!info)
    throw new Fault('not_found', `${remote.path} does not exist in the worker.`, { reason: 'no_file' });
  const isFolder = info.type === 'directory';
  if (isFolder) requireClobber(clobber);
  if (destination === '-') return receive(await get(remote, isFolder ? 'archive' : 'files'), process.stdout);
  const target = statHere(destination, true);
  const name = basename(posix.resolve('/', remote.path));
  if (isFolder) {
    if (target && !target.isDirectory())
      throw new Fault('conflict', `${destination} is a file, and ${remote.path} is a folder.`);
    const inside = target !== undefined && name !== '' && !/(^|\/)\.$/.test(remote.path);
    const path = inside ? join(destination, name) : destination;
    mkdirSync(path, { recursive: true });
    const answer = await get(remote, 'archive');
    const options = ['--no-same-owner', '--no-same-permissions'];
    const tar = spawn('tar', ['-xf', '-', '-C', path, ...options], { stdio: ['pipe', 'ignore', 'pipe'] });
    const [received, unpacked] = await Promise.allSettled([receive(answer, tar.stdin), untilDone(tar)]);
    if (received.status === 'rejected' && received.reason instanceof Fault) throw received.reason;
    if (unpacked.status === 'rejected') throw unpacked.reason;
    return;
  }
  const path = target?.isDirectory() || destination.endsWith('/') ? join(destination, name) : destination;
  const answer = await get(remote, 'files');
  const mode = Number.parseInt(String(answer.headers['x-file-mode'] ?? '644'), 8) & 0o777;
  // Under its name only when it is complete.
  const draft = join(dirname(path), `.${basename(path).slice(0, 200)}.${process.pid}.part`);
  try {
    await receive(answer, createWriteStream(draft, { mode, flags: 'wx', highWaterMark: BATCH_BYTES }));
    if (clobber) renameSync(draft, path);
    else linkSync(draft, path);
  } catch (error) {
    if (!clobber && (error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new Fault('conflict', `${path} exists already.`, { reason: 'exists' });
    if (!isFileError(error)) throw error;
    const [reason] = error.message.split(',');
    throw new Fault('conflict', `${path} cannot be written here: ${reason}.`, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Archives have no condition. */
function requireClobber(clobber: boolean): void {
  if (!clobber) throw usageError('--no-clobber is for single files, and not for folders.');
}

async function stat(remote: Remote): Promise<FileReport | undefined> {
  try {
    const { request, response } = openRequest(remote.api, {
      method: 'GET',
      path: `${toUrlPath(remote, 'files', remote.path)}?stat`,
    });
    request.end();
    return (await json(await response)) as FileReport;
  } catch (error) {
    if (error instanceof Fault && error.reason === 'no_file') return undefined;
    throw error;
  }
}

function get(remote: Remote, kind: 'files' | 'archive'): Promise<IncomingMessage> {
  const { request, response } = openRequest(remote.api, {
    method: 'GET',
    path: toUrlPath(remote, kind, remote.path),
  });
  request.end();
  return response;
}

/** Sends a stream; a source that fails cuts the request, so that nothing incomplete appears. */
async function send(
  remote: Remote,
  kind: 'files' | 'archive',
  path: string,
  source: Readable,
  { mode, size, clobber = true }: { mode?: string; size?: number | undefined; clobber?: boolean } = {},
): Promise<void> {
  const { request, response } = openRequest(remote.api, {
    method: 'PUT',
    path: `${toUrlPath(remote, kind, path)}${mode === undefined ? '' : `?mode=${mode}`}`,
    headers: {
      'content-type': 'application/octet-stream',
      ...(size !== undefined && { 'content-length': String(size) }),
      ...(!clobber && { 'if-none-match': '*' }),
    },
  });
  const failed = new Promise<never>((_, reject) => {
    source.once('error', (error) => {
      request.destroy();
      reject(error);
    });
  });
  source.pipe(request);
  try {
    const answer = await Promise.race([response, failed]);
    answer.resume();
    await once(answer, 'close');
  } finally {
    source.unpipe(request);
    source.destroy();
  }
}

/** Passes an answer on; throws a Fault if it was cut. */
async function receive(answer: IncomingMessage, target: Writable): Promise<void> {
  try {
    await pipeline(answer, target, { end: target !== process.stdout });
  } catch (cause) {
    // The connection was not cut if tar, or what reads standard output, has ended, or if a file here cannot be written.
    const ended = answer.complete || (cause as NodeJS.ErrnoException).code === 'EPIPE';
    if (ended || isFileError(cause)) throw cause;
    throw new Fault(
      'unavailable',
      'The connection was cut before the end: the worker, or the manager, has probably ended.',
      { cause, reason: 'body_lost' },
    );
  }
}

/** The path of a request; a path that would leave the worker's part of the URL is one encoded name. */
function toUrlPath({ worker }: Remote, kind: string, path: string): string {
  const plain = posix.normalize(path === '' ? '.' : path);
  const leaves = plain.startsWith('..') || plain.startsWith('/');
  const encoded = leaves
    ? encodeURIComponent(plain === '..' ? '../..' : plain)
    : encodeFilePath(splitPath(Buffer.from(plain)));
  return `${worker}/${kind}/${encoded}`;
}
