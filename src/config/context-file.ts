/**
 * The context file of a cell: how the command line of the same user connects to a manager that runs on this machine, the
 * leader if there are several. It contains the manager's URL, its token, and its Redis URL, so that they need not be copied between shells.
 *
 * Invariants: only its user can read and write it, and a file that others could have written is ignored. The token is
 * generated once and kept across restarts.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorMessage, Fault } from '../model/index.ts';
import { makeFolders } from './make-folders.ts';

export interface CellContext {
  /** The manager's URL. */
  url?: string | undefined;
  token?: string | undefined;
  /** Whether the token was generated here and must be kept, or is API_TOKEN. */
  token_generated?: boolean | undefined;
  redis_url?: string | undefined;
}

/** A larger file was not written by this program. */
const LONGEST = 65_536;

/** The path of a cell's context file. The dot separates it from the folders of cells. */
export const contextPath = ({ home, cell }: { home: string; cell: string }): string =>
  join(home, '.context', `${cell}.json`);

/** The content of the file; `undefined` if it is missing or broken, or another user could have written it. */
export function readContextFile(path: string): CellContext | undefined {
  const read = inspectContextFile(path);
  return typeof read === 'string' ? undefined : read;
}

/** Why a file that exists is not used, for people; `undefined` if it is used, or does not exist. */
export function whyContextIsIgnored(path: string): string | undefined {
  const read = inspectContextFile(path);
  return typeof read === 'string' ? read : undefined;
}

function inspectContextFile(path: string): CellContext | string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { mode, uid, size } = fstatSync(file);
    const own = process.getuid?.() ?? uid;
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || size > LONGEST)
      return 'it is not one of a manager';
    if (uid !== own && uid !== 0) return 'it belongs to another user';
    if ((mode & 0o022) !== 0) return 'other users can write to it; `chmod 600` makes it private';
    return toContext(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return code === 'EACCES' ? 'another user ran that manager' : 'it is damaged';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Without zod, which would be a third of the time of `wm ps`. */
function toContext({ url, token, token_generated, redis_url }: Record<string, unknown>): CellContext {
  const texts = [url, token, redis_url];
  if (!texts.every((text) => text === undefined || typeof text === 'string'))
    throw new TypeError('not a text');
  if (token_generated !== undefined && typeof token_generated !== 'boolean')
    throw new TypeError('not a flag');
  return { url, token, token_generated, redis_url } as CellContext;
}

/** The cells of this user that have a readable file, by name. */
export function listContexts(home: string): ({ cell: string } & CellContext)[] {
  let files: string[] = [];
  try {
    files = readdirSync(dirname(contextPath({ home, cell: 'default' }))).sort();
  } catch {
    // No manager has been started here.
  }
  return files.flatMap((file) => {
    const cell = /^([^.].*)\.json$/.exec(file)?.[1];
    const context = cell === undefined ? undefined : readContextFile(contextPath({ home, cell }));
    return cell === undefined || context === undefined ? [] : [{ cell, ...context }];
  });
}

/** Writes the file atomically. */
export function writeContextFile(path: string, context: CellContext): void {
  const draft = writeDraft(path, context);
  renameSync(draft, path);
}

/** Records how to connect to a manager. */
export function writeCellContext(
  settings: { home: string; cell: string; apiToken: string; redisUrl: string },
  { generated, url }: { generated: boolean; url: string },
): void {
  const { apiToken: token, redisUrl: redis_url } = settings;
  writeContextFile(contextPath(settings), { url, token, token_generated: generated, redis_url });
}

/** The token that was generated on the first start, or a new one; two concurrent first starts get the same. */
export function ensureToken(path: string): string {
  const known = readContextFile(path);
  if (known?.token && known.token_generated) return known.token;
  const context = { token: randomBytes(32).toString('base64url'), token_generated: true };
  try {
    if (known) writeContextFile(path, { ...known, ...context });
    else if (!publish(path, context)) return readContextFile(path)?.token ?? replace(path, context);
    return context.token;
  } catch (error) {
    const what = `The API token cannot be stored in ${path}: ${errorMessage(error)}.`;
    throw new Fault('unavailable', `${what} Set WORKER_MANAGER_HOME to a folder of your own, or API_TOKEN.`);
  }
}

/** Creates the file if it does not exist; returns whether it did. */
function publish(path: string, context: CellContext): boolean {
  const draft = writeDraft(path, context);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function replace(path: string, context: { token: string }): string {
  writeContextFile(path, context);
  return context.token;
}

function writeDraft(path: string, context: CellContext): string {
  const folder = dirname(path);
  makeFolders(folder);
  const draft = join(folder, `.${basename(path)}.${process.pid}`);
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(context, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return draft;
}
