/**
 * Who listens on a port of a body that shares the network of its machine. Other programs listen there too, such as Redis
 * and the manager, and a request for a worker must not reach them.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { pidsOfBody } from '../sandbox/own-cgroup.ts';

/** Loopback and the addresses that include it, as /proc/net/tcp has them (in the byte order of the machine). */
const V4 = new Set([
  '0100007F',
  '00000000',
  '00000000000000000000000000000000',
  '0000000000000000FFFF00000100007F',
]);
const V6 = new Set(['00000000000000000000000001000000', '00000000000000000000000000000000']);
const LISTEN = '0A';

/** How a connection reaches a port: through which address, and which sockets may accept it. */
export interface Listeners {
  host: '127.0.0.1' | '::1';
  /** The inodes of the sockets. */
  sockets: string[];
}

/** The processes by which a body's sockets are found. */
export interface BodyProcesses {
  bodyId: string | undefined;
  workerId: string;
  incarnation: number;
}

/** The sockets that may accept a connection to this port, over IPv4 first; undefined if none listens. */
export function findListeners(port: number, proc = '/proc'): Listeners | undefined {
  const lines = ['net/tcp', 'net/tcp6'].flatMap((file) => read(`${proc}/${file}`).split('\n').slice(1));
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const found = lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address = '', at] = local.split(':');
    return state === LISTEN && at === wanted ? [{ address, inode }] : [];
  });
  for (const [host, addresses] of [
    ['127.0.0.1', V4],
    ['::1', V6],
  ] as const) {
    const sockets = found.filter(({ address }) => addresses.has(address)).map(({ inode }) => inode);
    if (sockets.length > 0) return { host, sockets };
  }
  return undefined;
}

/** Whether each of the sockets belongs to a process of the body. */
export class SocketOwners {
  readonly #body: BodyProcesses;
  /** Sockets of the body; the number of a socket is not used again soon. */
  #known = new Set<string>();

  constructor(body: BodyProcesses) {
    this.#body = body;
  }

  own(sockets: string[]): boolean {
    if (sockets.every((inode) => this.#known.has(inode))) return true;
    this.#known = new Set(listBody(this.#body).flatMap(listSockets));
    return sockets.every((inode) => this.#known.has(inode));
  }
}

/** The processes of a body: those of its cgroup, or those that descend from the wrapper or have the marks of the body. */
function listBody({ bodyId, workerId, incarnation }: BodyProcesses): number[] {
  const own = pidsOfBody(bodyId);
  if (own) return own;
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc'))
    if (/^\d+$/.test(name)) {
      const text = read(`/proc/${name}/stat`);
      // proc(5): the name before the last ')' may contain any characters.
      parents.set(Number(name), Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]));
    }
  const marks = [`WORKER_ID=${workerId}`, `WORKER_INCARNATION=${incarnation}`];
  const descends = (pid: number): boolean => {
    for (let up: number | undefined = pid; up !== undefined && up > 1; up = parents.get(up))
      if (up === process.pid) return true;
    return false;
  };
  const isMarked = (pid: number) => {
    const environment = `\0${read(`/proc/${pid}/environ`)}`;
    return marks.every((mark) => environment.includes(`\0${mark}\0`));
  };
  return [...parents.keys()].filter((pid) => descends(pid) || isMarked(pid));
}

/** The inodes of a process's sockets; empty if it has ended or belongs to another user. */
function listSockets(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
