/**
 * The address of the manager, if the program gives none: `WM_URL` and `WM_TOKEN`, or the context file of the manager
 * that started last on this machine. Reads nothing where there is no Node.
 */

import { ManagerError } from './errors.ts';
import type { ManagerEndpoint } from './http/request.ts';

/** A larger file was not written by the manager. */
const LONGEST = 65_536;
const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const OTHERS_WRITE = 0o022;

type Environment = Record<string, string | undefined>;

/**
 * The fields that are given win over the variables, and these over the file. Throws a `ManagerError` if the URL or the token
 * cannot be one, because no retry helps then.
 */
export function findEndpoint(given: {
  url?: string | undefined;
  token?: string | undefined;
}): ManagerEndpoint {
  const found = readEndpoint(given);
  if (!URL.canParse(found.url) || !/^https?:/i.test(found.url))
    throw new ManagerError(
      'invalid_command',
      `The manager's URL must be one such as http://127.0.0.1:8080, not ${JSON.stringify(found.url)}.`,
    );
  // The token itself is not shown.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no header can have.
  if (/[\x00-\x1f\x7f\u0100-\uffff]/.test(found.token ?? ''))
    throw new ManagerError(
      'invalid_command',
      'The token has a line break, or another character that no token has.',
    );
  return found;
}

function readEndpoint(given: { url?: string | undefined; token?: string | undefined }): ManagerEndpoint {
  const env: Environment = globalThis.process?.env ?? {};
  const url = given.url ?? (env.WM_URL || undefined);
  // WM_TOKEN is for the manager of WM_URL.
  const token = given.token ?? (given.url === undefined ? env.WM_TOKEN || undefined : undefined);
  if (url !== undefined && token !== undefined) return { url, token };
  const path = contextFilePath(env);
  const file = path === undefined ? undefined : readContext(path);
  // The token of the file is for the manager of the file only.
  if (url !== undefined)
    return { url, token: withoutSlash(url) === withoutSlash(file?.url) ? file?.token : undefined };
  if (file?.url) return { url: file.url, token: token ?? file.token };
  const where = path === undefined ? '' : `, and ${path} has none`;
  const what = `The manager's URL is not known: connect got none, WM_URL is not set${where}.`;
  throw new ManagerError('invalid_command', `${what} Start a manager with \`wm serve\`, or set WM_URL.`);
}

const withoutSlash = (url = '') => url.replace(/\/+$/, '');

function contextFilePath(env: Environment): string | undefined {
  const state = env.XDG_STATE_HOME || (env.HOME && `${env.HOME}/.local/state`);
  const home = env.WORKER_MANAGER_HOME || (state && `${state}/worker-manager`);
  return home ? `${home}/.context/${env.CELL || 'default'}.json` : undefined;
}

/** The content of the file, if only its user can write it. */
function readContext(path: string): { url?: string; token?: string } | undefined {
  // A static import would keep bundlers for browsers from bundling this module.
  const fs = globalThis.process?.getBuiltinModule?.('node:fs');
  if (!fs) return undefined;
  let file: number | undefined;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    file = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const { mode, uid, size } = fs.fstatSync(file);
    const own = globalThis.process.getuid?.() ?? uid;
    const foreign = (uid !== own && uid !== 0) || (mode & OTHERS_WRITE) !== 0;
    if ((mode & TYPE_MASK) !== REGULAR || foreign || size > LONGEST) return undefined;
    return JSON.parse(fs.readFileSync(file, 'utf8')) as { url?: string; token?: string };
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}
