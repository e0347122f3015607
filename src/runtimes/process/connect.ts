import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { noDoor } from '../no-door.ts';
import { errnoCode } from './safe-file.ts';
import type { WorkPlaces } from './work-directory.ts';

/** Opens the file itself, without using it (open(2)); Node has no name for it. */
const O_PATH = 0o10000000;
/** Errors of a socket that is not there yet, or whose listener has gone. */
const NOT_LISTENING = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ELOOP', 'ENOTDIR']);

/**
 * Connects to the socket of a body's door. The body may have replaced it by a link to another socket of this
 * machine, so the file is opened without following links, checked, and connected to by its descriptor. That
 * also makes paths longer than the 107 bytes of a socket's address work.
 */
export async function connectToSocket({ door }: WorkPlaces, bodyId: string): Promise<Socket> {
  const closed = (cause: unknown) => noDoor(bodyId, 'conflict', 'its door is not open', cause);
  let fd: number | undefined;
  try {
    if (process.platform === 'linux') fd = openSync(door, O_PATH | constants.O_NOFOLLOW);
    const seen = fd === undefined ? lstatSync(door) : fstatSync(fd);
    if (!seen.isSocket() || seen.uid !== lstatSync(dirname(door)).uid)
      throw noDoor(bodyId, 'conflict', `${door} is not its socket`);
    return await open(fd === undefined ? door : `/proc/self/fd/${fd}`);
  } catch (error) {
    throw NOT_LISTENING.has(errnoCode(error) ?? '') ? closed(error) : error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
