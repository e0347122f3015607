/**
 * A newer Docker engine beside the machine's own, for `npm run test:engines`: Debian's docker.io of another suite in a root
 * directory, a mount namespace and a network namespace of its own, so that neither daemon touches the other's bridge,
 * firewall or files. Needs root, Linux and Debian's archive; installs debootstrap where it is missing.
 *
 * A plain chroot does not do: user namespaces and exec in containers need a real root (`pivot_root`).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { has, installWithApt } from './ensure-docker.ts';
import { dockerdResponds } from './private-dockerd.ts';

/** Debian's releases that have a newer engine: trixie 26.1, sid 28.5 with buildx. */
export type Suite = 'trixie' | 'sid';

export interface NewerEngine {
  /** For DOCKER_HOST. */
  dockerHost: string;
  /** Runs what has to reach its containers inside of the engine's network namespace. */
  enter: readonly string[];
  /** The only folder with the same path for the engine and for us: bind mounts must lie in it. */
  shared: string;
  stop(): Promise<void>;
}

type Log = (line: string) => void;

const TOOLS = ['debootstrap', 'iproute2', 'iptables', 'util-linux'];
const PACKAGES = ['docker.io', 'docker-cli', 'docker-buildx'];
const START_MS = 60_000;
const RUN = '/run/docker-test';

/** Becomes dockerd under the pid that it was started with. Arguments: root, shared folder, network namespace. */
const ENTER_ROOT = `set -e
exec 9<"$3"
mount --bind "$1" "$1"
for m in proc sys dev; do mount --rbind /$m "$1/$m"; done
mount --rbind "$2" "$1$2"
cd "$1"
pivot_root . oldroot
umount -l /oldroot
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec nsenter --net=/proc/self/fd/9 dockerd --data-root /var/lib/docker-test --exec-root ${RUN}/exec \\
  -H unix://${RUN}/docker.sock --pidfile ${RUN}/pid`;

/** Makes the root where it is missing (about two minutes) and starts the engine. Throws with what failed. */
export async function startNewerEngine(
  directory: string,
  { suite, log }: { suite: Suite; log: Log },
): Promise<NewerEngine> {
  const place = placeOf(resolve(directory, suite));
  ensureRoot(place, suite, log);
  removeNetwork(place);
  makeNetwork(place);
  for (const folder of [
    place.shared,
    place.root + place.shared,
    join(place.root, 'oldroot'),
    place.root + RUN,
  ])
    mkdirSync(folder, { recursive: true });
  rmSync(place.root + RUN, { recursive: true });
  mkdirSync(place.root + RUN);
  const out = openSync(join(place.directory, 'dockerd.log'), 'w');
  const daemon = spawn(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'sh', '-c', ENTER_ROOT, 'sh'],
      ...[place.root, place.shared, `/run/netns/${place.network}`],
    ],
    { detached: true, stdio: ['ignore', out, out] },
  );
  const socket = `${place.root}${RUN}/docker.sock`;
  const until = performance.now() + START_MS;
  while (!(existsSync(socket) && (await dockerdResponds(socket)))) {
    if (daemon.exitCode !== null || performance.now() > until) {
      const said = readFileSync(join(place.directory, 'dockerd.log'), 'utf8').trim().split('\n').at(-1);
      await end(daemon);
      removeNetwork(place);
      throw new Error(`Docker of Debian ${suite} did not start: ${said || 'no output'}.`);
    }
    await delay(100);
  }
  return {
    dockerHost: `unix://${socket}`,
    enter: ['nsenter', `--net=/run/netns/${place.network}`],
    shared: place.shared,
    stop: async () => {
      await end(daemon);
      removeNetwork(place);
    },
  };
}

interface Place {
  directory: string;
  root: string;
  shared: string;
  /** Name of the network namespace; its outer interface is the same with `-0`. */
  network: string;
  /** The first three numbers of its addresses. */
  subnet: string;
}

function placeOf(directory: string): Place {
  const hash = createHash('sha256').update(directory).digest();
  return {
    directory,
    root: join(directory, 'root'),
    shared: join(directory, 'shared'),
    network: `wm${hash.toString('hex').slice(0, 6)}`,
    subnet: `10.${200 + ((hash[0] ?? 0) % 50)}.${hash[1] ?? 0}`,
  };
}

function ensureRoot({ directory, root }: Place, suite: Suite, log: Log): void {
  const ready = join(directory, 'ready');
  if (existsSync(ready)) return;
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
  const install = `apt-get update -q && apt-get install -y -q --no-install-recommends -t ${suite} ${PACKAGES.join(' ')}`;
  run('chroot', root, 'sh', '-c', install);
  writeFileSync(ready, '');
}

/** The archive that this machine's apt uses. */
function mirrorOf(): string {
  const folder = '/etc/apt/sources.list.d';
  const files = [...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [])];
  for (const file of [...files, '/etc/apt/sources.list'].filter(existsSync)) {
    const found = /^(?:URIs:|deb\s(?:\[.*?\])?)\s*(https?:\S+)/m.exec(readFileSync(file, 'utf8'))?.[1];
    if (found) return found;
  }
  return 'http://deb.debian.org/debian';
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

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n').slice(-3).join(' / ');
  throw new Error(`${program} ${args.join(' ').slice(0, 120)} failed: ${why}`);
}
