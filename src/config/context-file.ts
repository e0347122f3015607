/**
 * The context file of a cell: how the command line of the same user reaches the manager that started last on this machine.
 * It holds the URL of the manager, its token, and Redis as the manager sees it, so that nothing is pasted into shells.
 *
 * What must always hold: it is readable and writable by its user alone, and what others could have written is not
 * believed. The token is generated once and kept from one start to the next.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { errorMessage, Fault } from '../model/index.ts';

const cellContext = z.object({
  /** Where the manager answers on HTTP. */
  url: z.string().optional(),
  token: z.string().optional(),
  /** Whether the token was generated here, and is to be kept, or is that of API_TOKEN. */
  token_generated: z.boolean().optional(),
  redis_url: z.string().optional(),
});
export type CellContext = z.infer<typeof cellContext>;

/** Beyond this it is none of ours. */
const LONGEST = 65_536;

/** Where the context of a cell is. The dot keeps it apart from the folders of cells. */
export const contextPath = ({ home, cell }: { home: string; cell: string }): string =>
  join(home, '.context', `${cell}.json`);

/** What the file holds; `undefined` if it is missing, broken, or another user could have written it. */
export function readContextFile(path: string): CellContext | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { mode, uid, size } = fstatSync(file);
    const own = process.getuid?.() ?? uid;
    const isRegular = (mode & constants.S_IFMT) === constants.S_IFREG;
    if (!isRegular || size > LONGEST || (uid !== own && uid !== 0) || (mode & 0o022) !== 0) return undefined;
    return cellContext.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Writes how the manager is reached, whole or not at all. */
export function writeContextFile(path: string, context: CellContext): void {
  const draft = writeDraft(path, context);
  renameSync(draft, path);
}

/** The token that was generated at the first start, or a new one; two first starts at once get the same. */
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

/** Makes the file if there is none; answers whether it did. */
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
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${basename(path)}.${process.pid}`);
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(context, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return draft;
}
