import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';

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
};
const itself = {};
itself.me = itself;
let deep = 0;
for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];

export function jsUnfit(name) {
  return { ...VALUES, itself, deep }[name];
}

export const jsNothing = () => undefined;
export const jsDate = () => ({ at: new Date(0) });

export default { jsNested: () => 'from the default export' };
