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
import { textOf, toJson, Unfit } from './json.mjs';
import { calls, current } from './worker-manager.mjs';

const CALLS = 3;
const ANSWERS = 4;
/** Characters of a traceback that are kept. */
const TRACEBACK = 16_384;
const OWN = new URL('.', import.meta.url).href;
/** Exit code: the channel is gone, for a function has closed it. */
const CHANNEL_CLOSED = 71;

/** As the API takes them; see src/model/task/function-name.ts. */
const NAME = /^[\p{ID_Start}_$][\p{ID_Continue}$-]*(\.[\p{ID_Start}_$][\p{ID_Continue}$-]*){0,15}$/u;
const NAME_LENGTH = 256;
const NAME_RULE =
  'a name has letters, digits, _, $ and -, begins with no digit, and may have parts with dots between';

const channel = fstatSync(ANSWERS).ino;
const functions = new Map();
/** The call under way. */
let underWay;

registerHooks({
  resolve: (name, context, next) =>
    name === 'worker-manager'
      ? { url: new URL('./worker-manager.mjs', import.meta.url).href, shortCircuit: true }
      : next(name, context),
});

const lifeline = new Socket({ fd: 5 });
// The worker is gone: no result is awaited.
lifeline.once('close', () => kill()).on('error', () => {});
lifeline.resume();
const input = new Socket({ fd: CALLS });

process.on('SIGTERM', () => {
  current.controller.abort(new Error('The task was ended by its worker.'));
  // A function that never asked for the signal has nothing to clean up by.
  if (!underWay || !current.watched) process.exit(143);
});

process.on('unhandledRejection', (reason) => late('A promise was rejected', reason));
process.on('uncaughtException', (error) => late('An error was thrown', error));

try {
  for (const path of process.argv.slice(2)) await load(path);
  const files = Object.fromEntries([...functions].map(([name, { path }]) => [name, path]));
  answer({ ready: [...functions.keys()], files });
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
    if (!NAME.test(name) || name.length > NAME_LENGTH)
      throw new Error(
        `the function ${JSON.stringify(name)} in ${path} cannot be called by tasks: ${NAME_RULE}`,
      );
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
  const call = {
    id,
    taskId: task_id,
    over: false,
    report: (value) => write(`{"id":${id},"progress":${toJson(value, 'progress')}}`),
  };
  underWay = call;
  let reply;
  try {
    const given = Object.keys(kwargs).length > 0 ? [...args, kwargs] : args;
    const result = await calls.run(call, () => functions.get(name).value(...given));
    reply = `{"id":${id},"result":${calls.run(call, () => toJson(result, 'result'))}}`;
  } catch (error) {
    reply = JSON.stringify({ id, error: describe(error) });
  }
  call.over = true;
  underWay = undefined;
  write(reply);
  if (current.controller.signal.aborted) process.exit(143);
}

/**
 * What a function left running has failed after it had returned: that is reported, and no later call fails for it. Of
 * the call under way, and of code that belongs to no call, it ends the process as Node does: it is unknown what is
 * broken by it.
 */
function late(what, thrown) {
  const call = calls.getStore();
  const { type, message, traceback } = describe(thrown);
  const told = traceback ?? `${type}: ${message}`;
  if (call?.over) {
    console.error(
      `${what} in what the task ${call.taskId} left running after its function had returned:\n${told}`,
    );
    return;
  }
  console.error(told);
  process.exit(1);
}

/** What was thrown as JSON; frames of this file are left out. Whatever was thrown, and whatever reading it does, this answers. */
function describe(error) {
  if (error instanceof Unfit) return { type: error.name, message: error.message };
  if (!isError(error)) {
    const text = textOf(() => String(error), 'something without a text');
    return { type: typeof error, message: cut(`the function threw ${text}, which is not an Error`) };
  }
  const stacks = [];
  for (let next = error; isError(next) && stacks.length < 8; next = causeOf(next))
    stacks.push(textOf(() => next.stack, '(no stack)'));
  const lines = stacks.join('\ncaused by: ').split('\n');
  return {
    // A class of the function's own may have set it to anything.
    type: cut(textOf(() => (typeof error.name === 'string' ? error.name : undefined), 'Error') || 'Error'),
    message: cut(textOf(() => error.message, '(its message cannot be read)')),
    traceback: cut(lines.filter((line) => !line.includes(OWN)).join('\n')),
  };
}

function isError(value) {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

function causeOf(error) {
  try {
    return error.cause;
  } catch {
    return undefined;
  }
}

/** Its beginning; no half of a character is left. */
function cut(text) {
  return text.slice(0, TRACEBACK).toWellFormed();
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
