import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { progress } from 'worker-manager';

export function jsFail(message) {
  throw new RangeError(message, { cause: new Error('the first') });
}

export function jsFailWithoutError() {
  throw 'a string';
}

export function jsVanish() {
  console.error('last words');
  process.exit(3);
}

export function jsLeaveAndVanish(script) {
  execFileSync('sh', ['-c', script], { stdio: 'inherit' });
  process.exit(5);
}

export function jsWriteToTheRunner(text) {
  writeSync(4, `${text}\n`);
  return new Promise(() => {});
}

export function jsOddName() {
  throw Object.assign(new Error('odd'), { name: 42 });
}

export function jsLateError() {
  setTimeout(() => {
    throw new Error('from a timer');
  });
  return new Promise(() => {});
}

export function jsSpin() {
  for (;;);
}

const VALUES = {
  nan: { a: [1, Number.NaN] },
  bytes: { file: { content: Buffer.from('x') } },
  map: [new Map()],
  big: { id: 1n },
  function: { call: () => 1 },
  error: [new Error('lost')],
  date: { at: new Date(Number.NaN) },
  regexp: /a/,
  set: new Set([1]),
  number: { id: 2 ** 60 },
  hole: Object.assign(new Array(3), { 0: 1, 2: 2 }),
  nothing: [1, undefined],
  generator: (function* () {})(),
  iterator: [1].values(),
  url: { query: new URLSearchParams('a=1') },
  hidden: { toJSON: () => ({ a: [1n] }) },
  throws: {
    get a() {
      throw new Error('unreadable');
    },
  },
};
const itself = {};
itself.me = itself;
let deep = 0;
for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];

export async function jsUnfit(name) {
  if (name === 'settled') return Promise.allSettled([Promise.reject(new Error('lost'))]);
  return { ...VALUES, itself, deep }[name];
}

export function jsThrow(name) {
  const odd = new Error('odd');
  Object.defineProperty(odd, name, {
    get() {
      throw new Error('no');
    },
  });
  throw name === 'nothing' ? Object.create(null) : odd;
}

/** Leaves something running that fails while the next call runs, and that goes on reporting. */
export function jsLeave(how) {
  setTimeout(() => progress('of the first'), 20);
  if (how === 'throw')
    setTimeout(() => {
      throw new Error('left behind');
    }, 30);
  else void new Promise((_, reject) => setTimeout(() => reject(new Error('left behind')), 30));
  return 'left';
}

export const jsPid = () => process.pid;

export const jsNap = () => new Promise((resolve) => setTimeout(resolve, 150, 'slept'));

export const jsFits = () => ({
  absent: undefined,
  at: new Date(0),
  far: 1e300,
  zero: -0,
  own: JSON.parse('{"__proto__":1}'),
});

export const jsNothing = () => undefined;
export const jsDate = () => ({ at: new Date(0) });

export default { jsNested: () => 'from the default export' };
