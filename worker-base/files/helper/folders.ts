/** Folders: list, create, move and remove what is in them. */
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { setImmediate as yieldTurn } from 'node:timers/promises';
import { sendJson } from '../../../src/http/send-json.ts';
import { encodeFilePath } from '../../../src/model/doors/file-path.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import { type FileCall, readMode, withPlace } from './call.ts';
import { readConditions } from './conditions.ts';
import { describeFile } from './describe-file.ts';
import { isDraft } from './drafts.ts';
import { fileFault } from './file-fault.ts';
import { type FilePlace, inFolder, makeFolder, openFolder, statsOf } from './place.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const PAGE = 1000;
const LONGEST_PAGE = 10_000;
/** Files that are removed before other requests get their turn. */
const SLICE = 200;

/** Opens a folder for reading its names, never through a link. Close it. */
export const openNames = (file: Buffer): number => openSync(file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

/** The names in a folder in the order of their bytes, without drafts. */
export function readNames(fd: number): Buffer[] {
  const names = readdirSync(inFolder(fd), { encoding: 'buffer' }).filter((name) => !isDraft(name));
  return names.sort(Buffer.compare);
}

/** GET with `?list`: a page of a folder, by name. */
export async function listFolder(call: FileCall): Promise<void> {
  const limit = readCount(call.query.get('limit') ?? '', PAGE, LONGEST_PAGE);
  const cursor = call.query.get('cursor');
  const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url');
  await withPlace(call, { follow: true }, (place) => {
    const fd = openNames(place.file);
    try {
      const all = readNames(fd);
      const from = after ? all.findIndex((name) => Buffer.compare(name, after) > 0) : 0;
      const page = from < 0 ? [] : all.slice(from, from + limit);
      const items = page.flatMap((name) => {
        const file = inFolder(fd, name);
        const stats = statsOf(file);
        const path = [place.path, encodeFilePath([name])].filter((part) => part !== '').join('/');
        // It may have been removed meanwhile.
        return stats ? describeFile({ file, path, name }, stats) : [];
      });
      const last = page.at(-1);
      const more = last !== undefined && from + limit < all.length;
      sendJson(call.response, 200, { items, next_cursor: more ? last.toString('base64url') : null });
    } finally {
      closeSync(fd);
    }
  });
}

/** POST with `?mkdir`: creates a folder and its parents; one that exists is a success. */
export async function createFolder(call: FileCall): Promise<void> {
  const mode = readMode(call.query);
  const conditions = readConditions(call.request);
  await withPlace(call, { follow: true, parents: true }, (place) => {
    const { folder, name, path } = place;
    conditions.check(place.stats(), path);
    const made = name !== undefined && makeFolder(folder, name);
    const stats = place.stats();
    if (!stats) throw fileFault('ENOENT', path);
    if (!stats.isDirectory()) throw fileFault('EEXIST', path);
    // A link that replaced the folder just now leads to nothing that this may change.
    if (made && mode !== undefined) withFolder(place.file, (fd) => chmodSync(inFolder(fd), mode));
    sendJson(call.response, made ? 201 : 200, describeFile(place, place.stats() ?? stats));
  });
}

/** POST with `?move_to=`: moves a file, folder or link, and replaces a file at the new place, as rename(2) does. */
export async function move(call: FileCall): Promise<void> {
  const target = call.query.get('move_to') ?? '';
  const { workspace, request, response } = call;
  const conditions = readConditions(request);
  await withPlace(call, { follow: false }, async (from) => {
    if (!from.name) throw fileFault('EBUSY', from.path);
    if (!from.stats()) throw fileFault('ENOENT', from.path);
    await withPlace({ workspace, path: target }, { follow: false, parents: true }, (to) => {
      if (!to.name) throw fileFault('EEXIST', to.path);
      const old = to.stats();
      conditions.check(from.stats(), from.path);
      renameSync(from.file, to.file);
      const stats = to.stats();
      if (!stats) throw fileFault('ENOENT', to.path);
      sendJson(response, old ? 200 : 201, describeFile(to, stats));
    });
  });
}

/** DELETE: a file, a link or an empty folder; with `?recursive=true` also what is in the folder. */
export async function removeFile(call: FileCall): Promise<void> {
  const recursive = call.query.get('recursive') === 'true';
  const conditions = readConditions(call.request);
  await withPlace(call, { follow: false }, async ({ name, folder, path, file, stats }) => {
    if (!name) throw fileFault('EBUSY', path);
    const found = stats();
    if (!found) throw fileFault('ENOENT', path);
    conditions.check(found, path);
    if (!found.isDirectory()) unlinkSync(file);
    else if (recursive) await removeTree(folder, name);
    else removeEmpty(file);
    call.response.writeHead(204).end();
  });
}

/** A folder that has nothing but abandoned drafts is empty for clients. */
function removeEmpty(file: Buffer): void {
  withFolder(file, (fd) => {
    const all = readdirSync(inFolder(fd), { encoding: 'buffer' });
    if (all.every(isDraft)) for (const name of all) unlinkSync(inFolder(fd, name));
  });
  rmdirSync(file);
}

/** Removes a folder with all in it; enters no link. */
async function removeTree(folder: number, name: Buffer): Promise<void> {
  let count = 0;
  const empty = async (fd: number): Promise<void> => {
    const names = readdirSync(inFolder(fd), { encoding: 'buffer' });
    for (const inner of names) {
      count += 1;
      if (count % SLICE === 0) await yieldTurn();
      await removeOne(fd, inner);
    }
  };
  const removeOne = async (fd: number, inner: Buffer): Promise<void> => {
    const file = inFolder(fd, inner);
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (!stats) return;
    if (!stats.isDirectory()) return ignoreMissing(() => unlinkSync(file));
    const own = openFolder(fd, inner);
    try {
      await empty(own);
    } finally {
      closeSync(own);
    }
    ignoreMissing(() => rmdirSync(file));
  };
  await removeOne(folder, name);
}

function ignoreMissing(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Calls `act` with an opened folder. */
export function withFolder<T>(file: FilePlace['file'], act: (fd: number) => T): T {
  const fd = openNames(file);
  try {
    return act(fd);
  } finally {
    closeSync(fd);
  }
}

function readCount(text: string, fallback: number, most: number): number {
  if (text === '') return fallback;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  const message = `must be a number from 1 to ${most}`;
  throw new Fault('invalid_command', `The request was refused: limit ${message}.`, {
    issues: [{ path: 'limit', message }],
  });
}
