import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../model/index.ts';
import { ActFailed, BodyRefused } from '../runtime.ts';
import { readLogTail } from './body-directory.ts';
import type { BodyRecord } from './body-record.ts';
import { type CgroupSupport, deriveCgroups } from './cgroup-support.ts';
import { makeCgroups } from './cgroups.ts';
import type { FoundBody } from './found-body.ts';
import { BODY_VARIABLE } from './members.ts';
import { type BodyUser, becomeUser } from './process-user.ts';
import { errnoCode } from './safe-file.ts';
import type { WorkPlaces } from './work-directory.ts';

const SHIM = fileURLToPath(new URL('./shim.sh', import.meta.url));
/** Timeout from spawn to the shim's pid file; about 5 ms on an idle machine. */
const START_DEADLINE_MS = 10_000;
const POLL_MS = 4;
/** Flags that do not follow a link or block if something else has the log's name. */
const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
const LOG_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
/** The shim's own exit codes: the path belongs to another body; the body was already started. */
const WRONG_PLACE = 98;
const ALREADY_STARTED = 99;

/**
 * Variables that a body inherits from the manager's environment, so that it finds programs and proxies. Never
 * all of them, because the environment contains the manager's own credentials.
 */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/**
 * Starts a body's shim in its own session and waits until the body runs or has ended. Two managers may do so
 * at once: the shim's fence admits one, and both calls return.
 */
export async function launch(
  { dir, made }: FoundBody,
  { places, support, user }: { places: WorkPlaces; support: CgroupSupport; user: BodyUser | undefined },
  onExit: () => void,
): Promise<void> {
  const cgroups = deriveCgroups(support, made.id);
  await makeCgroups(cgroups, made.limits);
  const dataLimit = needsRlimit(made, support)
    ? String(Math.floor((made.limits.memory_bytes ?? 0) / 1024))
    : '-';
  const files = String(made.limits.open_files ?? '-');
  const args = [SHIM, made.id, made.worker_id, dataLimit, files, ...cgroups, '--', ...made.argv];
  const log = await open(dir.file('log'), LOG_FLAGS, 0o600);
  const env = environment(made, places, user);
  const stdio: StdioOptions = ['ignore', log.fd, log.fd];
  let child: ChildProcess;
  try {
    child = spawn('/bin/sh', args, { cwd: dir.path, detached: true, stdio, env });
  } catch (error) {
    if (errnoCode(error) !== 'E2BIG') throw error;
    const why = 'its arguments and variables are too large for this machine (E2BIG)';
    throw new BodyRefused('StartFailed', `Body ${made.id} can't be started: ${why}.`);
  } finally {
    await log.close();
  }
  child.unref();
  let failure: string | undefined;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code) => {
    if (code === WRONG_PLACE) failure = 'its directory has been removed';
    else if (code !== null && code !== ALREADY_STARTED) failure = `the shim exited with code ${code}`;
    onExit();
  });
  const deadline = performance.now() + START_DEADLINE_MS;
  while (performance.now() < deadline) {
    if ((dir.text('pid') ?? dir.text('exit')) !== undefined) return;
    if (failure !== undefined) break;
    await delay(POLL_MS);
  }
  if (dir.identity() === undefined) throw bodyGone(made.id);
  const why = failure ?? `none of its processes started within ${START_DEADLINE_MS / 1000} s`;
  throw new ActFailed(
    `Body ${made.id} could not be started: ${why}. ${readLogTail(dir.file('log')).slice(-500)}`.trim(),
  );
}

/** The error of a start that is too late. */
export const bodyGone = (bodyId: string) =>
  new Fault('not_found', `Body ${bodyId} can't be started: it does not exist any more.`);

/** If no memory cgroup is writable, the limit applies to each process separately. */
function needsRlimit(made: BodyRecord, support: CgroupSupport): boolean {
  return made.limits.memory_bytes !== undefined && !(support.bases.memory ?? support.bases.unified);
}

function environment(made: BodyRecord, places: WorkPlaces, user: BodyUser | undefined): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(INHERITED.flatMap((name) => entry(name, process.env[name])));
  // This user may not be able to write to the manager's folder for temporary files.
  if (user) delete inherited.TMPDIR;
  const own = user && { HOME: places.home, USER: user.name, LOGNAME: user.name };
  return {
    ...inherited,
    ...own,
    ...made.env,
    // For the shim only; no child inherits it.
    ...(user && { SHIM_BECOME: becomeUser(user).join(' ') }),
    WORKSPACE_PATH: places.workspace,
    // A workspace is beside other workspaces, and its agent's home belongs to the body.
    WORKER_AGENT_HOME: places.home,
    SECRETS_PIPE: places.pipe,
    WORKER_DOOR: places.door,
    [BODY_VARIABLE]: made.id,
  };
}

const entry = (name: string, value: string | undefined) =>
  value === undefined ? [] : [[name, value] as const];
