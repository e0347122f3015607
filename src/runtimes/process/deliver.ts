import { close, constants, fstat, lstatSync, open } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { Fault } from '../../model/index.ts';

/** Timeout of a wrapper that does not read its secrets. */
const DEADLINE_MS = 10_000;

/**
 * Writes all of `content` into the named pipe of a waiting wrapper. Never blocks on a wrapper that does not
 * wait: that is a Fault `conflict`, and so is a wrapper that stops reading or misses the deadline.
 */
export async function deliverToPipe(
  pipe: string | undefined,
  bodyId: string,
  content: string,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  if (pipe === undefined)
    throw new Fault('not_found', `Secrets can't be passed to body ${bodyId}: it does not exist any more.`);
  const refuse = (why: string, cause?: unknown) =>
    new Fault('conflict', `Secrets could not be passed to body ${bodyId}: ${why}.`, { cause });
  // Check it before opening: opening a device can have side effects.
  const stats = lstatSync(pipe, { throwIfNoEntry: false });
  if (!stats) throw refuse('it is not waiting for them');
  if (!stats.isFIFO()) throw refuse(`${pipe} is not a pipe`);
  // Do not follow a link. Without O_NONBLOCK, this would block a thread until a reader opens the pipe.
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const fd = await promisify(open)(pipe, flags).catch((error: unknown) => {
    throw refuse('it is not waiting for them', error);
  });
  if (!(await promisify(fstat)(fd)).isFIFO()) {
    await promisify(close)(fd);
    throw refuse(`${pipe} is not a pipe`);
  }
  // From here on, the socket owns the descriptor.
  const socket = new Socket({ fd, readable: false, writable: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => reject(refuse('it stopped reading them', error)));
      timer = setTimeout(() => reject(refuse(`it did not read them within ${deadlineMs} ms`)), deadlineMs);
      socket.end(content, () => resolve());
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
