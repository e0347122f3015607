/**
 * Runs the JavaScript and TypeScript functions of one slot, one call at a time, until its input ends.
 *
 * Calls come as JSON lines on file descriptor 3, answers go as JSON lines to 4, so that stdin, stdout and stderr are the
 * functions' own. It needs Node 24, which runs TypeScript as it is, and no package. Argv: the handler files.
 */
import { fstatSync, writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { current } from './worker-manager.mjs';

const CALLS = 3;
const ANSWERS = 4;
/** Characters of a traceback that are kept. */
const TRACEBACK = 16_384;
/** Exit code: the channel is gone, for a function has closed it. */
const CHANNEL_CLOSED = 71;

const channel = fstatSync(ANSWERS).ino;
const functions = new Map();
let calling = false;

registerHooks({
  resolve: (name, context, next) =>
    name === 'worker-manager'
      ? { url: new URL('./worker-manager.mjs', import.meta.url).href, shortCircuit: true }
      : next(name, context),
});

const lifeline = new Socket({ fd: 5 });
// The worker is gone: nobody waits for a result.
lifeline.once('close', () => kill()).on('error', () => {});
lifeline.resume();
const input = new Socket({ fd: CALLS });

process.on('SIGTERM', () => {
  current.controller.abort(new Error('The task was ended by its worker.'));
  // A function that never asked for the signal has nothing to clean up by.
  if (!calling || !current.watched) process.exit(143);
});

try {
  for (const path of process.argv.slice(2)) await load(path);
  answer({ ready: [...functions.keys()] });
} catch (error) {
  answer({ failed: describe(error) });
  process.exit(1);
}
input.on('error', () => process.exit(CHANNEL_CLOSED));
let rest = [];
input.on('data', (chunk) => {
  let at = 0;
  for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
    const line = Buffer.concat([...rest, chunk.subarray(at, end)]).toString();
    rest = [];
    at = end + 1;
    void run(line);
  }
  if (at < chunk.length) rest.push(chunk.subarray(at));
});
input.once('end', () => process.exit(0));

async function load(path) {
  const module = await import(pathToFileURL(path));
  const nested = typeof module.default === 'object' && module.default !== null ? module.default : {};
  let found = 0;
  for (const [key, value] of [...Object.entries(module), ...Object.entries(nested)]) {
    if (typeof value !== 'function' || /^class\b/.test(Function.prototype.toString.call(value))) continue;
    const name = key === 'default' || key === 'module.exports' ? value.name : key;
    found += 1;
    const before = functions.get(name);
    if (before && before.value !== value)
      throw new Error(`two functions are named "${name}": in ${before.path} and ${path}`);
    functions.set(name, { value, path });
  }
  if (found === 0) throw new Error(`${path} exports no function`);
}

async function run(line) {
  const { id, task_id, function: name, args, kwargs } = JSON.parse(line);
  calling = true;
  current.taskId = task_id;
  current.report = (value) => answer({ id, progress: value });
  let reply;
  try {
    const given = Object.keys(kwargs).length > 0 ? [...args, kwargs] : args;
    const result = await functions.get(name).value(...given);
    reply = textOf(id, result);
  } catch (error) {
    reply = JSON.stringify({ id, error: describe(error) });
  }
  calling = false;
  current.taskId = undefined;
  current.report = () => {};
  write(reply);
  if (current.controller.signal.aborted) process.exit(143);
}

function textOf(id, result) {
  try {
    const text = JSON.stringify(result, refuse);
    return `{"id":${id},"result":${text ?? 'null'}}`;
  } catch (error) {
    const { message } = error instanceof Unfit ? error : unfit(result, error);
    return JSON.stringify({ id, error: { type: 'NotSerialisable', message } });
  }
}

class Unfit extends Error {}

const HINTS = {
  bigint: 'use String(value)',
  Map: 'use Object.fromEntries(value)',
  Set: 'use [...value]',
  ArrayBuffer: "use Buffer.from(value).toString('base64')",
  Uint8Array: "use Buffer.from(value).toString('base64')",
  Buffer: "use value.toString('base64')",
};

/** JSON.stringify would make `null`, `{}` or nothing of these without a word. */
function refuse(key, value) {
  // As it was before a toJSON of its own, such as a Buffer's.
  if (problemOf(this[key]) !== undefined) throw new TypeError('no JSON');
  return value;
}

function problemOf(value) {
  if (typeof value === 'number' && !Number.isFinite(value))
    return `is ${value}, which JSON does not have: use null or a string`;
  if (typeof value === 'object') {
    const foreign = [Map, Set, WeakMap, WeakSet, Promise, ArrayBuffer].some((kind) => value instanceof kind);
    return foreign || ArrayBuffer.isView(value) ? unknown(value.constructor.name) : undefined;
  }
  return ['bigint', 'function', 'symbol'].includes(typeof value) ? unknown(typeof value) : undefined;
}

function unknown(kind) {
  return `is of type ${kind}, which JSON does not have: ${HINTS[kind] ?? 'return strings, numbers, arrays and objects'}`;
}

/** Why a result can't be JSON, and where in it the reason is. */
function unfit(result, error) {
  const above = new Set();
  const look = (value, where) => {
    const problem = problemOf(value);
    if (problem !== undefined) return `${where} ${problem}`;
    if (typeof value !== 'object' || value === null || typeof value.toJSON === 'function') return undefined;
    if (above.has(value)) return `${where} holds itself`;
    above.add(value);
    for (const [key, item] of Object.entries(value)) {
      const found = look(item, Array.isArray(value) ? `${where}[${key}]` : `${where}.${key}`);
      if (found !== undefined) return found;
    }
    above.delete(value);
    return undefined;
  };
  try {
    return { message: look(result, 'result') ?? `the result can't be made JSON: ${error.message}` };
  } catch {
    return { message: 'the result is nested too deeply' };
  }
}

/** What was thrown as JSON; frames of this file are left out. */
function describe(error) {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: `the function threw ${String(error)}, which is no Error` };
  }
  const stacks = [];
  for (let next = error; next instanceof Error && stacks.length < 8; next = next.cause)
    stacks.push(next.stack);
  const lines = stacks.join('\ncaused by: ').split('\n');
  return {
    // A class of the function's own may have set it to anything.
    type:
      typeof error.name === 'string' && error.name ? error.name.slice(0, TRACEBACK).toWellFormed() : 'Error',
    message: String(error.message).slice(0, TRACEBACK).toWellFormed(),
    traceback: lines
      .filter((line) => !line.includes(import.meta.url))
      .join('\n')
      .slice(0, TRACEBACK)
      .toWellFormed(),
  };
}

function answer(message) {
  write(JSON.stringify(message));
}

function write(text) {
  try {
    // A function may have closed it, and opened a file of its own in its place.
    if (fstatSync(ANSWERS).ino !== channel) process.exit(CHANNEL_CLOSED);
    const data = Buffer.from(`${text}\n`);
    for (let sent = 0; sent < data.length; ) sent += writeSync(ANSWERS, data, sent);
  } catch {
    process.exit(CHANNEL_CLOSED);
  }
}

function kill() {
  process.kill(0, 'SIGKILL');
}
