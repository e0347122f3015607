import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { errorMessage } from '../../model/index.ts';
import { RuntimeDown } from '../runtime.ts';

/** The user and group that a body runs as, if they differ from the manager's. */
export interface BodyUser {
  name: string;
  uid: number;
  gid: number;
}

/** Values of PROCESS_USER: "the manager's own", and "`AGENT_USER`, if it exists and can be used". */
export const NO_USER = 'none';
const AUTO = 'auto';
/** Created by the operator with `useradd --system worker-agent`. */
const AGENT_USER = 'worker-agent';
const CALL_MS = 10_000;
const run = promisify(execFile);

/** The user of bodies, absent if it is the manager's own; and the reason, for people. */
export interface ChosenUser {
  user?: BodyUser;
  why: string;
}

/** Selects the user that bodies run as. Throws `RuntimeDown` if a configured user cannot be used. */
export async function chooseUser(
  setting: string,
  needs: { root: string; files: string[] },
): Promise<ChosenUser> {
  if (setting === NO_USER) return { why: 'PROCESS_USER is none' };
  const isAuto = setting === AUTO;
  const refuse = (why: string): ChosenUser => {
    if (isAuto) return { why };
    throw new RuntimeDown(`PROCESS_USER is ${setting}, but ${why}.`);
  };
  if (process.platform !== 'linux') return refuse(`only Linux can do that, and this is ${process.platform}`);
  if (process.getuid?.() !== 0) return refuse('only root can start processes as another user');
  const name = isAuto ? AGENT_USER : setting;
  const user = await lookUp(name);
  if (!user) return refuse(`there is no user ${name} on this machine`);
  if (user.uid === 0) return refuse('that is root, which has no restrictions');
  const obstacle = await whyUnreachable(user, needs);
  return obstacle === undefined ? { user, why: `PROCESS_USER is ${setting}` } : refuse(obstacle);
}

/**
 * The command prefix that switches to another user permanently: no group, capability or set-user-ID program
 * restores privileges.
 */
export function becomeUser({ uid, gid }: BodyUser): string[] {
  const ids = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  return ['setpriv', ...ids, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'];
}

/** The manager's own user, for people; a number if it has no name. */
export function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

async function lookUp(name: string): Promise<BodyUser | undefined> {
  try {
    const id = async (flag: string) =>
      Number((await run('id', [flag, '--', name], { timeout: CALL_MS })).stdout);
    const [uid, gid] = [await id('-u'), await id('-g')];
    return Number.isSafeInteger(uid) && Number.isSafeInteger(gid) ? { name, uid, gid } : undefined;
  } catch {
    return undefined;
  }
}

/** `cd` needs the same permission as a body on every folder above its own. */
const PROBE =
  'cd "$1" || { echo "it cannot enter $1"; exit 1; }; shift; for f; do [ -r "$f" ] || { echo "it cannot read $f"; exit 1; }; done';

/** Why a body of this user could not run; `undefined` if it could. */
async function whyUnreachable(
  user: BodyUser,
  { root, files }: { root: string; files: string[] },
): Promise<string | undefined> {
  const [program = '', ...args] = becomeUser(user);
  const needed = files.filter((file) => file.startsWith('/'));
  // The folder itself becomes passable for all users; the folders above it are not ours.
  const parent = root.replace(/\/+[^/]+\/*$/, '') || '/';
  try {
    await run(program, [...args, '/bin/sh', '-c', PROBE, 'sh', parent, ...needed], { timeout: CALL_MS });
    return undefined;
  } catch (error) {
    const output = (error as { stdout?: string }).stdout?.trim();
    const advice =
      'set WORKER_MANAGER_HOME, and store Node, this program and HANDLERS_DIR where that user can read them';
    return output ? `${output}; ${advice}` : `setpriv (util-linux) failed: ${errorMessage(error)}`;
  }
}
