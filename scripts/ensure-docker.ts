/**
 * Gives tests and the demo a Docker daemon: the one that answers, else a private one, the same for all checkouts of the
 * machine, since a second daemon would take the bridge and the firewall chains from the first.
 *
 * A private daemon keeps its images, so that they are built once; its socket and state live in a directory of root's
 * own. It runs in its own session, so that Ctrl-C ends the caller before it, and is ended by its own pid when its last
 * user has gone and no container runs. As a program, `node scripts/ensure-docker.ts [--stop]` starts one that stays, or
 * ends it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { toConnection } from '../src/runtimes/docker/client.ts';
import {
  attempt,
  dockerdPlace,
  dockerdResponds,
  isAlive,
  isNamed,
  PING_MS,
  processIn,
  startDockerd,
} from './private-dockerd.ts';

export interface DockerAccess {
  /** Path of the daemon's Unix socket, or the URL in DOCKER_HOST if that isn't a Unix socket. */
  socket: string;
  /** Whether a private daemon was started by this call. */
  started: boolean;
  /** Ends a private daemon when no other process uses it; leaves any other alone. */
  stop(): Promise<void>;
}

const RUN = '/run/worker-manager-docker';
const PLACE = dockerdPlace('/var/lib/worker-manager-docker', RUN);
const USERS = join(RUN, 'users');
/** Three times what dockerd gives its containers at its end (--shutdown-timeout, 15 s). */
const END_MS = 45_000;
/** Ten minutes, in steps of 100 ms: the installation of Docker by another caller may take some. */
const LOCK_TRIES = 6000;
const HOW = 'Install Docker (https://docs.docker.com/engine/install/), or set DOCKER_HOST to a running one.';

/** Finds or starts a daemon; the error says what was tried and what to do. */
export async function ensureDocker(log: (line: string) => void): Promise<DockerAccess | { error: string }> {
  const host = process.env.DOCKER_HOST;
  const theirs = host ? host.replace(/^unix:\/\//, '') : '/var/run/docker.sock';
  if (await dockerdResponds(theirs)) return { socket: theirs, started: false, stop: async () => undefined };
  const silent = `DOCKER_HOST is ${host}, and no Docker daemon answers there. Start it, or unset DOCKER_HOST.`;
  if (host) return { error: silent };
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return { error: `No Docker daemon answers at ${theirs}. ${HOW}` };
  }
  return alone(async () => {
    if (await dockerdResponds(PLACE.socket)) return use(false);
    const obstacle = prepare(log);
    if (obstacle) return { error: `No Docker daemon answers at ${theirs}. ${obstacle}` };
    // Where an init system runs, installing the package has started the machine's own daemon.
    if (await dockerdResponds(theirs)) return { socket: theirs, started: false, stop: async () => undefined };
    return start(log);
  });
}

/** One start or end at a time on this machine: the others wait, and then find what it left. */
async function alone<T>(act: () => Promise<T>): Promise<T> {
  const lock = `${RUN}.lock`;
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (tries > LOCK_TRIES)
        throw new Error(`Another start holds ${lock}. Remove it if none is running.`, { cause: error });
      const holder = Number(attempt(() => readFileSync(lock, 'utf8')) ?? 0);
      if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
      await delay(100);
    }
  }
  try {
    return await act();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Installs what a private daemon needs; returns what prevents it. */
function prepare(log: (line: string) => void): string | undefined {
  const other = otherDaemon();
  if (other)
    return `However, a Docker daemon is running here as process ${other}: set DOCKER_HOST to its socket.`;
  if (has('dockerd') && has('iptables')) return undefined;
  if (!has('apt-get')) return HOW;
  log('Installing docker.io and iptables with apt …');
  return installWithApt(['docker.io', 'iptables', 'iproute2', 'ca-certificates'], log);
}

/** Installs Debian packages without their recommendations; answers the error, if any. */
export function installWithApt(packages: string[], log: (line: string) => void): string | undefined {
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  const install = () => apt('install', '--no-install-recommends', ...packages);
  let result = install();
  if (result.status !== 0) {
    log('Updating the package lists …');
    apt('update');
    result = install();
  }
  if (result.status === 0) return undefined;
  return `apt could not install ${packages.join(', ')}: ${result.stderr.trim().split('\n').at(-1) ?? ''}. ${HOW}`;
}

/** Whether a program is on the PATH. */
export const has = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;

/** A live dockerd in our network namespace: a second one would take docker0 and the firewall chains from it. */
function otherDaemon(): number | undefined {
  const ours = readlinkSync('/proc/self/ns/net');
  const own = processIn(PLACE.pidFile);
  return readdirSync('/proc')
    .map(Number)
    .find(
      (pid) =>
        pid > 0 &&
        isAlive(pid) &&
        isNamed(pid, 'dockerd') &&
        pid !== own &&
        attempt(() => readlinkSync(`/proc/${pid}/ns/net`)) === ours,
    );
}

async function start(log: (line: string) => void): Promise<DockerAccess | { error: string }> {
  log(`Starting a private Docker daemon (images in ${PLACE.data}) …`);
  const daemon = await startDockerd(PLACE, { log });
  if ('pid' in daemon) return use(daemon.pid === processIn(PLACE.pidFile));
  return { error: `A private Docker daemon could not be started: ${daemon.error}. ${HOW}` };
}

/** Notes this process as a user of the private daemon, so that the last one to leave ends it. */
function use(started: boolean): DockerAccess {
  mkdirSync(USERS, { recursive: true });
  const mark = join(USERS, String(process.pid));
  writeFileSync(mark, '');
  return {
    socket: PLACE.socket,
    started,
    stop: () =>
      alone(async () => {
        rmSync(mark, { force: true });
        const users = readdirSync(USERS).filter((name) => name === 'kept' || isAlive(Number(name)));
        if (users.length === 0 && (await running()).length === 0) await end();
      }),
  };
}

/** Names of running containers. They are in use even if no user is recorded. */
async function running(): Promise<string[]> {
  const docker = new Docker({ ...toConnection(PLACE.socket), timeout: PING_MS });
  return (await docker.listContainers()).map(({ Names }) => Names[0] ?? '?');
}

/** On explicit request: not while any containers run. */
async function endIfIdle(): Promise<void> {
  if (!(await dockerdResponds(PLACE.socket))) return;
  const names = await running();
  if (names.length > 0)
    throw new Error(`Containers are still running, so the daemon keeps running: ${names.join(', ')}`);
  await end();
}

async function end(): Promise<void> {
  const pid = processIn(PLACE.pidFile);
  if (pid === undefined) return;
  process.kill(pid, 'SIGTERM');
  const until = performance.now() + END_MS;
  while (isAlive(pid) && performance.now() < until) await delay(50);
  // A daemon that ran containers on the host's network leaves this mount, which would keep the directory busy.
  const namespaces = join(RUN, 'exec', 'netns');
  for (const name of attempt(() => readdirSync(namespaces)) ?? []) {
    spawnSync('umount', [join(namespaces, name)], { stdio: 'ignore' });
  }
  rmSync(RUN, { recursive: true, force: true });
}

if (import.meta.main) {
  if (process.argv.includes('--stop')) await alone(endIfIdle);
  else {
    const found = await ensureDocker(console.error);
    if ('error' in found) {
      console.error(found.error);
      process.exit(1);
    }
    if (found.socket === PLACE.socket) writeFileSync(join(USERS, 'kept'), '');
    console.log(`export DOCKER_HOST=${found.socket.startsWith('/') ? 'unix://' : ''}${found.socket}`);
  }
}
