/**
 * Gives tests and the demo a Docker daemon: the one that answers, else a private one, the same for all checkouts of the
 * machine, since a second daemon would take the bridge and the firewall chains from the first.
 *
 * A private daemon keeps its images, so that they are built once; its socket and state live in a directory of root's
 * own. It runs in its own session, so that Ctrl-C ends the caller before it, and is ended by its own pid when its last
 * user has gone and no container runs. As a program, `node scripts/ensure-docker.ts [--stop]` starts one that stays, or
 * ends it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { connectionTo } from '../src/runtimes/docker/client.ts';

export interface DockerAccess {
  /** Path of the daemon's Unix socket, or the URL in DOCKER_HOST where that is no Unix socket. */
  socket: string;
  /** Whether a private daemon was started by this call. */
  started: boolean;
  /** Ends a private daemon when nobody else uses it; leaves any other alone. */
  stop(): Promise<void>;
}

const DATA = '/var/lib/worker-manager-docker';
const RUN = '/run/worker-manager-docker';
const SOCKET = join(RUN, 'docker.sock');
const PID = join(RUN, 'dockerd.pid');
const USERS = join(RUN, 'users');
/** A daemon that does not answer a ping in this time is taken for absent. */
const PING_MS = 2000;
/** A clean start takes 2 s; one after a kill -9 with containers alive took 13 s. */
const START_MS = 45_000;
/** Ten minutes, in steps of 100 ms: the installation of Docker by another caller may take some. */
const LOCK_TRIES = 6000;
const HOW = 'Install Docker (https://docs.docker.com/engine/install/), or set DOCKER_HOST to one that runs.';

/** Finds or starts a daemon; the error says what was tried and what to do. */
export async function ensureDocker(log: (line: string) => void): Promise<DockerAccess | { error: string }> {
  const given = process.env.DOCKER_HOST;
  const theirs = given ? given.replace(/^unix:\/\//, '') : '/var/run/docker.sock';
  if (await answers(theirs)) return { socket: theirs, started: false, stop: async () => undefined };
  const silent = `DOCKER_HOST is ${given}, and no Docker daemon answers there. Start it, or unset DOCKER_HOST.`;
  if (given) return { error: silent };
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return { error: `No Docker daemon answers at ${theirs}. ${HOW}` };
  }
  return alone(async () => {
    if (await answers(SOCKET)) return use(false);
    const obstacle = prepare(log);
    if (obstacle) return { error: `No Docker daemon answers at ${theirs}. ${obstacle}` };
    // Where an init system runs, installing the package has started the machine's own daemon.
    if (await answers(theirs)) return { socket: theirs, started: false, stop: async () => undefined };
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
        throw new Error(`${lock} is held by another start. Remove it if none runs.`, { cause: error });
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

/** Whether a daemon answers `GET /_ping`, within a deadline. */
async function answers(socket: string): Promise<boolean> {
  const target = socket.startsWith('/') ? { socketPath: socket } : tcp(socket);
  if (target === undefined) return false;
  return new Promise((resolve) => {
    const ping = request({ ...target, path: '/_ping', timeout: PING_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.on('close', () => resolve(false));
    ping.end();
  });
}

function tcp(url: string): { host: string; port: string } | undefined {
  const match = /^(?:tcp|http):\/\/([^/:]+):(\d+)\/?$/.exec(url);
  return match?.[1] && match[2] ? { host: match[1], port: match[2] } : undefined;
}

/** Installs what a private daemon needs; answers what stands in the way. */
function prepare(log: (line: string) => void): string | undefined {
  const other = otherDaemon();
  if (other) return `But a Docker daemon runs here as process ${other}: set DOCKER_HOST to its socket.`;
  if (has('dockerd') && has('iptables')) return undefined;
  if (!has('apt-get')) return HOW;
  log('Installing docker.io and iptables with apt …');
  return installWithApt(['docker.io', 'iptables', 'ca-certificates'], log);
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
  return readdirSync('/proc')
    .map(Number)
    .find(
      (pid) =>
        pid > 0 &&
        isDockerd(pid) &&
        pid !== ownPid() &&
        attempt(() => readlinkSync(`/proc/${pid}/ns/net`)) === ours,
    );
}

const isDockerd = (pid: number) =>
  isAlive(pid) && attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) === 'dockerd';
const ownPid = () => Number(attempt(() => readFileSync(PID, 'utf8')) ?? 0);
/** Alive, and not merely waiting to be reaped. */
const isAlive = (pid: number) =>
  (attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]) ?? 'Z') !== 'Z';

async function start(log: (line: string) => void): Promise<DockerAccess | { error: string }> {
  log(`Starting a private Docker daemon (images in ${DATA}) …`);
  mkdirSync(DATA, { recursive: true });
  mkdirSync(RUN, { recursive: true, mode: 0o700 });
  // A pid file left by a kill would be believed when the number has been given to another process.
  if (!isDockerd(ownPid())) rmSync(PID, { force: true });
  const logFile = join(RUN, 'dockerd.log');
  const out = openSync(logFile, 'w', 0o600);
  const daemon = spawn(
    'dockerd',
    ['--data-root', DATA, '--exec-root', join(RUN, 'exec'), '-H', `unix://${SOCKET}`, '--pidfile', PID],
    { detached: true, stdio: ['ignore', out, out] },
  );
  daemon.unref();
  if (await isUp(daemon)) return use(daemon.pid === ownPid());
  const last = attempt(() => readFileSync(logFile, 'utf8').trim().split('\n').at(-1)) ?? 'it printed nothing';
  return { error: `A private Docker daemon could not be started: ${last} (whole log: ${logFile}). ${HOW}` };
}

/** Whether it answers within START_MS. */
async function isUp(daemon: ChildProcess): Promise<boolean> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    if (await answers(SOCKET)) return true;
    if (daemon.exitCode !== null) return false;
    await delay(100);
  }
  return false;
}

/** Notes this process as a user of the private daemon, so that the last one to leave ends it. */
function use(started: boolean): DockerAccess {
  mkdirSync(USERS, { recursive: true });
  const mark = join(USERS, String(process.pid));
  writeFileSync(mark, '');
  return {
    socket: SOCKET,
    started,
    stop: () =>
      alone(async () => {
        rmSync(mark, { force: true });
        const users = readdirSync(USERS).filter((name) => name === 'kept' || isAlive(Number(name)));
        if (users.length === 0 && (await running()).length === 0) await end();
      }),
  };
}

/** Names of containers that run: somebody uses them, also where nobody has noted himself as a user. */
async function running(): Promise<string[]> {
  const docker = new Docker({ ...connectionTo(SOCKET), timeout: PING_MS });
  return (await docker.listContainers()).map(({ Names }) => Names[0] ?? '?');
}

/** As asked for by a person: not while containers run, whoever they belong to. */
async function endIfIdle(): Promise<void> {
  if (!(await answers(SOCKET))) return;
  const names = await running();
  if (names.length > 0) throw new Error(`Containers still run, so the daemon stays: ${names.join(', ')}`);
  await end();
}

async function end(): Promise<void> {
  const pid = ownPid();
  if (!isDockerd(pid)) return;
  process.kill(pid, 'SIGTERM');
  const until = performance.now() + START_MS;
  while (isAlive(pid) && performance.now() < until) await delay(50);
  // A daemon that ran containers on the host's network leaves this mount, which would keep the directory busy.
  const namespaces = join(RUN, 'exec', 'netns');
  for (const name of attempt(() => readdirSync(namespaces)) ?? []) {
    spawnSync('umount', [join(namespaces, name)], { stdio: 'ignore' });
  }
  rmSync(RUN, { recursive: true, force: true });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  if (process.argv.includes('--stop')) await alone(endIfIdle);
  else {
    const found = await ensureDocker(console.error);
    if ('error' in found) {
      console.error(found.error);
      process.exit(1);
    }
    if (found.socket === SOCKET) writeFileSync(join(USERS, 'kept'), '');
    console.log(`export DOCKER_HOST=${found.socket.startsWith('/') ? 'unix://' : ''}${found.socket}`);
  }
}
