/**
 * Makes news late: what a socket reads is handed on in its order, but at times long after it came. Loaded before a program by
 * `npm run test:late`, it shows what holds only while Redis, Docker and other processes are quick: an assertion on what is
 * about to be true, a timer that outlives its owner, two steps that ought to be one.
 */
import { Socket } from 'node:net';

/** Of five reads one is late, by up to 50 ms; of fifty one, by up to 400 ms. */
const OFTEN = { share: 0.2, ms: 50 };
const SELDOM = { share: 0.02, ms: 400 };

type Read = [chunk: unknown, encoding?: BufferEncoding];
/** Per socket, what came while the first of it waits: it is all handed on at once. */
const waiting = new WeakMap<Socket, Read[]>();
const push: (this: Socket, ...read: Read) => boolean = Socket.prototype.push;

Socket.prototype.push = function (...read: Read): boolean {
  const queue = waiting.get(this);
  const ms = queue ? 0 : delay();
  if (!queue && ms === 0) return push.call(this, ...read);
  if (queue) queue.push(read);
  else {
    waiting.set(this, [read]);
    setTimeout(handOn, ms, this);
  }
  return true;
};

function handOn(socket: Socket): void {
  const queue = waiting.get(socket) ?? [];
  waiting.delete(socket);
  for (const read of queue) if (!socket.destroyed) push.call(socket, ...read);
}

function delay(): number {
  const chance = Math.random();
  if (chance < SELDOM.share) return Math.random() * SELDOM.ms;
  return chance < OFTEN.share ? Math.random() * OFTEN.ms : 0;
}
