/**
 * A root directory with Debian's packages of another release, in which programs run that need a newer libc than this
 * machine has. Installs debootstrap if it is missing. Needs root, Linux and Debian's archive.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { has, installWithApt } from './ensure-docker.ts';

/** Debian's releases after the one that the images stand on. */
export type Suite = 'trixie' | 'sid';

const TOOLS = ['debootstrap', 'iproute2', 'iptables', 'util-linux'];
/** How long the archive may take to send the head of a file. */
const ARCHIVE_MS = 10_000;

/** Makes the root in `directory`/root if it is missing (about a minute); it is kept. Throws with what failed. */
export function ensureRoot(
  directory: string,
  { suite, packages }: { suite: Suite; packages: readonly string[] },
  log: (line: string) => void,
): string {
  const root = join(directory, 'root');
  const ready = readyFile(directory);
  if (existsSync(ready)) return root;
  const missing = TOOLS.filter((name) => spawnSync('dpkg', ['-s', name], { stdio: 'ignore' }).status !== 0);
  const error = missing.length > 0 && installWithApt(missing, log);
  if (error || !has('debootstrap')) throw new Error(error || 'debootstrap is missing.');
  log(`Making a root of Debian ${suite} in ${root} …`);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const mirror = mirrorOf();
  const include = '--include=ca-certificates,iproute2,iptables,procps';
  run('debootstrap', '--variant=minbase', include, 'trixie', root, mirror);
  // The Release file of sid may be past its date on a mirror that lags behind.
  writeFileSync(join(root, 'etc/apt/apt.conf.d/99check'), 'Acquire::Check-Valid-Until "false";\n');
  if (suite !== 'trixie')
    writeFileSync(join(root, 'etc/apt/sources.list.d/suite.list'), `deb ${mirror} ${suite} main\n`);
  const install = `apt-get update -q && apt-get install -y -q --no-install-recommends -t ${suite} ${packages.join(' ')}`;
  run('chroot', root, 'sh', '-c', install);
  writeFileSync(ready, '');
  return root;
}

/** Whether the root is made already, so that the archive is not needed. */
export const hasRoot = (directory: string): boolean => existsSync(readyFile(directory));

const readyFile = (directory: string) => join(directory, 'ready');

/** Why the archive does not give this release; `undefined` if it does. */
export async function archiveProblem(suite: Suite): Promise<string | undefined> {
  const url = `${mirrorOf().replace(/\/$/, '')}/dists/${suite}/InRelease`;
  try {
    const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(ARCHIVE_MS) });
    return answer.ok ? undefined : `${url} answers ${answer.status}`;
  } catch (error) {
    const { message } = ((error as Error).cause ?? error) as Error;
    return `${url} cannot be reached (${message})`;
  }
}

/** The archive that this machine's apt uses. */
export function mirrorOf(): string {
  const folder = '/etc/apt/sources.list.d';
  const files = [...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [])];
  for (const file of [...files, '/etc/apt/sources.list'].filter(existsSync)) {
    const found = /^(?:URIs:|deb\s(?:\[.*?\])?)\s*(https?:\S+)/m.exec(readFileSync(file, 'utf8'))?.[1];
    if (found) return found;
  }
  return 'http://deb.debian.org/debian';
}

/** Runs a program to its end; throws its last lines if it fails. */
export function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n').slice(-3).join(' / ');
  throw new Error(`${program} ${args.join(' ').slice(0, 120)} failed: ${why}`);
}
