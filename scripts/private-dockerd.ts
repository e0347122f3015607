import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Paths of a private daemon's data, and of its socket and state. */
export interface DockerdPlace {
  data: string;
  run: string;
  socket: string;
  pidFile: string;
}

/** The files of a private daemon. */
export const dockerdPlace = (data: string, run: string): DockerdPlace => ({
  data,
  run,
  socket: join(run, 'docker.sock'),
  pidFile: join(run, 'dockerd.pid'),
});

/** A daemon that does not answer a ping in this time counts as absent. */
export const PING_MS = 2000;
/** A clean start takes 2 s; one after a kill -9 with containers alive took 13 s. */
const START_MS = 45_000;
/** The kernel takes milliseconds to end a killed process. */
const DYING_MS = 3000;
/** How Go reports a crash of the program itself. */
const PANIC = /^(panic|fatal error|unexpected fault address)\b.*/m;

/** How to start a daemon that cannot read what a killed one left, in order of increasing data loss. */
const REPAIRS: { loss: string; act(place: DockerdPlace): void }[] = [
  {
    // Docker before 24.0, killed while it creates a network: https://github.com/moby/moby/issues/45057
    loss: 'removing its networks',
    act: ({ data }) => {
      const files = join(data, 'network', 'files');
      for (const bridge of bridgesIn(join(files, 'local-kv.db'))) {
        spawnSync('ip', ['link', 'delete', bridge], { stdio: 'ignore' });
      }
      rmSync(files, { recursive: true, force: true });
    },
  },
  {
    loss: 'moving its data to *.unreadable; its images are rebuilt',
    act: ({ data }) => {
      // dockerd bind-mounts its data on itself, and a killed one leaves that mount, which would block a rename.
      spawnSync('umount', ['--lazy', '--recursive', data], { stdio: 'ignore' });
      rmSync(`${data}.unreadable`, { recursive: true, force: true });
      renameSync(data, `${data}.unreadable`);
    },
  },
];

/**
 * Starts a daemon with the data of the previous one, even if a kill left data that it cannot read. Returns its PID.
 * `flags` are added to its command line.
 */
export async function startDockerd(
  place: DockerdPlace,
  { flags = [], log }: { flags?: string[]; log(line: string): void },
): Promise<{ pid: number | undefined } | { error: string }> {
  let outcome = await tryStart(place, flags);
  for (const { loss, act } of REPAIRS) {
    if (!('error' in outcome) || outcome.panic === undefined) break;
    log(`dockerd failed because of data from its last run (${outcome.panic}): ${loss} …`);
    act(place);
    outcome = await tryStart(place, flags);
  }
  return outcome;
}

/** The bridges of the networks in a daemon's records; they would keep their addresses forever. */
function bridgesIn(record: string): Set<string> {
  const text = attempt(() => readFileSync(record, 'latin1')) ?? '';
  const ids = text.matchAll(/\/network\/([0-9a-f]{12})[0-9a-f]{52}\//g);
  return new Set([...ids].map(([, id]) => `br-${id}`));
}

/** Starts one once; `panic` is Go's report of a crash of the daemon, if there was one. */
async function tryStart(
  { data, run, socket, pidFile }: DockerdPlace,
  flags: string[],
): Promise<{ pid: number | undefined } | { error: string; panic: string | undefined }> {
  mkdirSync(data, { recursive: true });
  mkdirSync(run, { recursive: true, mode: 0o700 });
  const containerdPid = join(run, 'exec', 'containerd', 'containerd.pid');
  // A PID file left by a kill would be trusted until the dead process is reaped, or if its PID is reused.
  for (const file of [pidFile, containerdPid]) if (!(await stays(file))) rmSync(file, { force: true });
  const logFile = join(run, 'dockerd.log');
  const out = openSync(logFile, 'w', 0o600);
  const where = ['--data-root', data, '--exec-root', join(run, 'exec'), '-H', `unix://${socket}`];
  const daemon = spawn('dockerd', [...where, '--pidfile', pidFile, ...flags], {
    detached: true,
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  daemon.unref();
  if (await isUp(daemon, socket)) return { pid: daemon.pid };
  const output = readFileSync(logFile, 'utf8').trim();
  const panic = PANIC.exec(output)?.[0];
  const lines = output.split('\n');
  // Its final output isn't a line of its log, and its containerd may log after that.
  const reason = panic ?? lines.findLast((line) => !line.startsWith('time=')) ?? lines.at(-1) ?? '';
  return { error: `${reason || 'it printed nothing'} (whole log: ${logFile})`, panic };
}

/** Whether the process of a PID file is still running: a killed process may take a moment to end. */
async function stays(pidFile: string): Promise<boolean> {
  const until = performance.now() + DYING_MS;
  while (processIn(pidFile) !== undefined) {
    if (performance.now() > until) return true;
    await delay(20);
  }
  return false;
}

/** The running process that a PID file of dockerd or containerd names. */
export function processIn(pidFile: string): number | undefined {
  const pid = Number(attempt(() => readFileSync(pidFile, 'utf8')));
  return pid > 0 && isAlive(pid) && (isNamed(pid, 'dockerd') || isNamed(pid, 'containerd')) ? pid : undefined;
}

/** Whether a process has that name. */
export const isNamed = (pid: number, name: string): boolean =>
  attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) === name;

/** Running, and not only waiting to be reaped. */
export const isAlive = (pid: number): boolean =>
  (attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]) ?? 'Z') !== 'Z';

/** Its response, or nothing if it cannot be read. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Whether it answers within START_MS. */
async function isUp(daemon: ChildProcess, socket: string): Promise<boolean> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    if (await dockerdResponds(socket)) return true;
    if (daemon.exitCode !== null || daemon.signalCode !== null) return false;
    await delay(100);
  }
  return false;
}

/** Whether a daemon answers `GET /_ping`, within a deadline. */
export async function dockerdResponds(socket: string): Promise<boolean> {
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
