/**
 * Makes news late: what a socket reads is handed on in its order, but at times long after it came. Loaded before a program by
 * `npm run test:late`, it shows what holds only while Redis, Docker and other processes are quick: an assertion on what is
 * about to be true, a timer that outlives its owner, two steps that ought to be one.
 */
import { Socket } from 'node:net';

/** Of ten reads one is late, by up to 40 ms; of a hundred one, by up to 200 ms. */
const OFTEN = { share: 0.1, ms: 40 };
const SELDOM = { share: 0.01, ms: 200 };

type Read = [chunk: unknown, encoding?: BufferEncoding];
const waiting = new WeakMap<Socket, Read[]>();
const push: (this: Socket, ...read: Read) => boolean = Socket.prototype.push;

Socket.prototype.push = function (...read: Read): boolean {
  const queue = waiting.get(this) ?? [];
  waiting.set(this, queue);
  const ms = delay();
  if (queue.length === 0 && ms === 0) return push.call(this, ...read);
  queue.push(read);
  if (queue.length === 1) setTimeout(handOn, ms, this, queue);
  return true;
};

function handOn(socket: Socket, queue: Read[]): void {
  const [first] = queue;
  if (first && !socket.destroyed) push.call(socket, ...first);
  queue.shift();
  if (queue.length > 0) setTimeout(handOn, delay(), socket, queue);
}

function delay(): number {
  const chance = Math.random();
  if (chance < SELDOM.share) return Math.random() * SELDOM.ms;
  return chance < OFTEN.share ? Math.random() * OFTEN.ms : 0;
}
