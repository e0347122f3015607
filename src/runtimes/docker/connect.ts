/**
 * Connects to the door of a container: by its address, if this machine is on that network, and otherwise (Docker
 * Desktop, an engine elsewhere, a manager in a container) through an exec that carries the stream.
 */
import { BlockList, connect as connectSocket, isIPv4, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type { ContainerInspectInfo } from 'dockerode';
import { noDoor } from '../no-door.ts';
import { bodyFromInspect } from './body.ts';
import type { DockerClient } from './client.ts';
import { isBuiltImage } from './container.ts';
import type { Containers } from './containers.ts';
import { connectByExec } from './exec-stream.ts';
import { isOwnEntry } from './image.ts';
import type { CellNetwork } from './network.ts';

/** The port of the wrapper's door. Below the ports that a kernel gives to outgoing connections. */
export const DOOR_PORT = 7339;
/** The wrapper's user in our images, with the group that may run node. */
const WRAPPER_USER = '10001:20000';
/** Addresses of this machine's networks answer within a millisecond. */
const DIRECT_MS = 1000;
/** How long an address that did not answer is not tried again. */
const AVOID_MS = 300_000;

export type ConnectBy = 'address' | 'exec';

/** Our images start as root, and have users of their own for the wrapper and the agent. */
export const hasOwnUsers = ({ Config }: ContainerInspectInfo): boolean =>
  isBuiltImage(Config.Image) || isOwnEntry(Config.Entrypoint);

/** Returns the function that connects to the door of the container with that ID. */
export function createContainerConnector(options: {
  cell: string;
  containers: Containers;
  streams: DockerClient;
  network: CellNetwork;
  by?: ConnectBy | undefined;
}): (id: string) => Promise<Duplex> {
  const { cell, containers, streams, network, by } = options;
  /** The addresses of a network have answered, so one that refuses has nothing that listens. */
  let answered = false;
  let avoidUntil = 0;

  async function connectByAddress(id: string, address: string): Promise<Socket | undefined> {
    try {
      const socket = await open(address);
      answered = true;
      return socket;
    } catch (error) {
      const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
      if (refused && (answered || by === 'address'))
        throw noDoor(id, 'conflict', 'its door is not open', error);
      if (by === 'address') throw noDoor(id, 'unavailable', `${address} does not answer`, error);
      if (!refused) avoidUntil = performance.now() + AVOID_MS;
      return undefined;
    }
  }

  return async (id) => {
    const info = await containers.inspect(id);
    if (!info || !bodyFromInspect(info, cell)) throw noDoor(id, 'not_found', 'it does not exist any more');
    if (!info.State.Running) throw noDoor(id, 'conflict', 'it is not running');
    const address = info.NetworkSettings.Networks[network.name]?.IPAddress;
    const direct = by === 'address' || (by === undefined && performance.now() >= avoidUntil);
    if (address && direct && isNear(address)) {
      const socket = await connectByAddress(id, address);
      if (socket) return socket;
    }
    const user = hasOwnUsers(info) ? WRAPPER_USER : info.Config.User;
    return connectByExec(streams, { id, user, port: DOOR_PORT });
  };
}

/**
 * Whether this machine has an interface in the network of that address. Without one, the address may belong to
 * another machine, or packets to it may be dropped without an answer.
 */
function isNear(address: string): boolean {
  if (!isIPv4(address)) return false;
  const near = new BlockList();
  for (const { cidr, family, internal } of Object.values(networkInterfaces()).flatMap((all) => all ?? [])) {
    const [start = '', bits] = cidr?.split('/') ?? [];
    if (family === 'IPv4' && !internal && start) near.addSubnet(start, Number(bits));
  }
  return near.check(address);
}

function open(host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port: DOOR_PORT, allowHalfOpen: true, noDelay: true });
    const late = setTimeout(() => socket.destroy(new Error(`no answer within ${DIRECT_MS} ms`)), DIRECT_MS);
    socket.once('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(late);
      socket.removeAllListeners('error');
      // A network that is removed with its container may lose the end of the connection.
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      resolve(socket);
    });
  });
}
const KEEP_ALIVE_MS = 10_000;
