/**
 * A second engine besides the machine's own, for `npm run test:engines`: Debian's packages of another release in a root
 * directory, with its own mount namespace and network namespace, so that neither engine affects the other's bridge,
 * firewall or files. Requires root and Linux, and Debian's archive only to create the root.
 *
 * A plain chroot does not work: user namespaces and exec in containers need a real root (`pivot_root`).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lockFile } from '../src/private-redis/file-lock.ts';
import { ensureRoot, run, type Suite } from './debian-root.ts';
import { dockerdResponds, isAlive, processIn } from './private-dockerd.ts';

export type EngineName = keyof typeof ENGINES;

export interface NewerEngine {
  /** For DOCKER_HOST. */
  dockerHost: string;
  /** Runs programs that connect to its containers inside of the engine's network namespace. */
  enter: readonly string[];
  /** The only folder with the same path for the engine and for this process; bind mounts must be in it. */
  shared: string;
  /** Where the engine's own paths, such as its data root, begin on this machine. */
  root: string;
  /** For PATH: a folder with a `docker` program of the engine's version. */
  programs: string;
  stop(): Promise<void>;
}

type Log = (line: string) => void;

const START_MS = 60_000;
/** Three times the time that dockerd gives its containers when it stops (--shutdown-timeout, 15 s). */
const END_MS = 45_000;
const RUN = '/run/engine-test';
const SOCKET = `unix://${RUN}/docker.sock`;

const DOCKERD = [
  'dockerd',
  '--data-root',
  '/var/lib/engine-test',
  '--exec-root',
  `${RUN}/exec`,
  '-H',
  SOCKET,
  '--pidfile',
  `${RUN}/pid`,
];
const PACKAGES = ['docker.io', 'docker-cli', 'docker-buildx'];

/** The Debian release of each. */
export const ENGINES = { 'docker-26': 'trixie', 'docker-28': 'sid' } as const satisfies Record<string, Suite>;

/**
 * Becomes the engine with the PID that it was started with. Arguments: root, shared folder, network namespace, command.
 */
const ENTER_ROOT = `set -e
exec 9<"$3"
mount --bind "$1" "$1"
for m in proc sys dev; do mount --rbind /$m "$1/$m"; done
mount --rbind "$2" "$1$2"
cd "$1"
pivot_root . oldroot
umount -l /oldroot
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
shift 3
exec nsenter --net=/proc/self/fd/9 "$@"`;

/** Where the root of an engine is stored. */
export const engineDirectory = (directory: string, name: EngineName): string => resolve(directory, name);

/** Creates the root if it is missing (about a minute) and starts the engine. Throws with a description of what failed. */
export async function startNewerEngine(
  directory: string,
  { name, log }: { name: EngineName; log: Log },
): Promise<NewerEngine> {
  const place = getPlace(engineDirectory(directory, name));
  mkdirSync(place.directory, { recursive: true });
  const lock = lockFile(join(place.directory, 'lock'), 'exclusive');
  if (!lock) throw new Error(`Another process uses ${name} in ${place.directory} now.`);
  let daemon: ChildProcess | undefined;
  const stop = async () => {
    if (daemon) await end(daemon);
    removeNetwork(place);
    lock.release();
  };
  try {
    ensureRoot(place.directory, { suite: ENGINES[name], packages: PACKAGES }, log);
    await endLeftover(place);
    removeNetwork(place);
    makeNetwork(place);
    daemon = spawnEngine(place);
    await untilItAnswers(place, daemon, name);
    return {
      dockerHost: `unix://${place.root}${RUN}/docker.sock`,
      enter: ['nsenter', `--net=/run/netns/${place.network}`],
      shared: place.shared,
      root: place.root,
      programs: writeClient(place, daemon),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function spawnEngine(place: Place): ChildProcess {
  rmSync(place.root + RUN, { recursive: true, force: true });
  for (const folder of [
    place.shared,
    place.root + place.shared,
    join(place.root, 'oldroot'),
    place.root + RUN,
  ])
    mkdirSync(folder, { recursive: true });
  const out = openSync(place.log, 'w');
  const enter = ['--mount', '--propagation', 'private', 'sh', '-c', ENTER_ROOT, 'sh'];
  const args = [...enter, place.root, place.shared, `/run/netns/${place.network}`, ...DOCKERD];
  return spawn('unshare', args, { detached: true, stdio: ['ignore', out, out] });
}

async function untilItAnswers(place: Place, daemon: ChildProcess, name: EngineName): Promise<void> {
  const socket = `${place.root}${RUN}/docker.sock`;
  const until = performance.now() + START_MS;
  while (!(existsSync(socket) && (await dockerdResponds(socket)))) {
    if (daemon.exitCode !== null || performance.now() > until) {
      const output = readFileSync(place.log, 'utf8').trim().split('\n').at(-1);
      throw new Error(`${name} did not start: ${output || 'no output'}.`);
    }
    await delay(100);
  }
}

/** A `docker` program that runs inside of the engine's root, which has its buildx and the libraries of both. */
function writeClient({ directory }: Place, daemon: ChildProcess): string {
  const folder = join(directory, 'programs');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'docker');
  const enter = `exec nsenter --mount=/proc/${daemon.pid}/ns/mnt`;
  writeFileSync(
    file,
    `#!/bin/sh\n${enter} env PATH=/usr/sbin:/usr/bin:/sbin:/bin DOCKER_HOST=${SOCKET} docker "$@"\n`,
  );
  chmodSync(file, 0o755);
  return folder;
}

/** Stops the engine of a run that was killed; the lock shows that no other run uses it. */
async function endLeftover({ root }: Place): Promise<void> {
  const pid = processIn(`${root}${RUN}/pid`);
  // After a restart of the machine, the PID may belong to another daemon.
  if (pid === undefined || !isSameFolder(`/proc/${pid}/root/`, root)) return;
  process.kill(pid, 'SIGTERM');
  const until = performance.now() + END_MS;
  while (isAlive(pid)) {
    if (performance.now() > until) throw new Error(`The engine of an earlier run does not end (pid ${pid}).`);
    await delay(100);
  }
}

function isSameFolder(one: string, other: string): boolean {
  const [a, b] = [statSync(one), statSync(other)];
  return a.ino === b.ino && a.dev === b.dev;
}

interface Place {
  directory: string;
  root: string;
  shared: string;
  log: string;
  /** Name of the network namespace; its outer interface has the same name with `-0`. */
  network: string;
  /** The first three octets of its addresses. */
  subnet: string;
}

function getPlace(directory: string): Place {
  const hash = createHash('sha256').update(directory).digest();
  return {
    directory,
    root: join(directory, 'root'),
    shared: join(directory, 'shared'),
    log: join(directory, 'engine.log'),
    network: `wm${hash.toString('hex').slice(0, 6)}`,
    subnet: `10.${200 + ((hash[0] ?? 0) % 50)}.${hash[1] ?? 0}`,
  };
}

function makeNetwork({ network, subnet }: Place): void {
  const outer = `${network}-0`;
  run('ip', 'netns', 'add', network);
  run('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', network);
  run('ip', 'addr', 'add', `${subnet}.1/24`, 'dev', outer);
  run('ip', 'link', 'set', outer, 'up');
  run('ip', '-n', network, 'addr', 'add', `${subnet}.2/24`, 'dev', 'eth0');
  for (const name of ['eth0', 'lo']) run('ip', '-n', network, 'link', 'set', name, 'up');
  run('ip', '-n', network, 'route', 'add', 'default', 'via', `${subnet}.1`);
  run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const rule of rulesOf({ network, subnet })) run('iptables', ...rule('-I'));
}

/** Also what a killed run left. */
function removeNetwork(place: Place): void {
  for (const rule of rulesOf(place)) while (tried('iptables', ...rule('-D')));
  tried('ip', 'link', 'del', `${place.network}-0`);
  tried('ip', 'netns', 'del', place.network);
}

const rulesOf = ({ network, subnet }: Pick<Place, 'network' | 'subnet'>) => [
  (act: string) => ['-t', 'nat', act, 'POSTROUTING', '-s', `${subnet}.0/24`, '-j', 'MASQUERADE'],
  (act: string) => [act, 'FORWARD', '-i', `${network}-0`, '-j', 'ACCEPT'],
  (act: string) => [act, 'FORWARD', '-o', `${network}-0`, '-j', 'ACCEPT'],
];

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const gone = new Promise((resolve) => daemon.once('exit', resolve));
  daemon.kill('SIGTERM');
  await gone;
}

const tried = (program: string, ...args: string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;
