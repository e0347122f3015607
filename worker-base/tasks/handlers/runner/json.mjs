/** Results and progress of functions as JSON, or why they are none, and where in them. */

/** A value that JSON would change without a word. Its message says where it is. */
export class Unfit extends Error {
  name = 'NotSerialisable';
}

/** Levels of arrays and objects; as src/model/values/json-depth.ts has it. */
const DEPTH = 500;

/** The text; throws an Unfit. `root` names the value in messages. */
export function toJson(value, root) {
  try {
    // At the top, `undefined` means no value, and is not a loss.
    return JSON.stringify(value === undefined ? null : value, refuse);
  } catch (error) {
    throw unfit(value, root, error);
  }
}

/** JSON.stringify would make `null`, `{}` or nothing of these without a word. */
function refuse(key, value) {
  const before = this[key];
  // Before a toJSON of its own, such as a Buffer's, and after it.
  if (problemOf(before, this) !== undefined) throw new TypeError('no JSON');
  if (value !== before && problemOf(value, this) !== undefined) throw new TypeError('no JSON');
  return value;
}

const HINTS = {
  bigint: 'use String(value)',
  Map: 'use Object.fromEntries(value)',
  Set: 'use [...value]',
  Date: 'use null',
  Error: 'use value.message',
  RegExp: 'use value.source',
  Generator: 'use [...value]',
  Promise: 'await it',
  ArrayBuffer: "use Buffer.from(value).toString('base64')",
  Uint8Array: "use Buffer.from(value).toString('base64')",
  Buffer: "use value.toString('base64')",
};
/** Objects of which JSON holds everything; what else the language and its libraries have keeps its content elsewhere. */
const PLAIN = new Set(['Object', 'Array', 'String', 'Number', 'Boolean']);

function problemOf(value, holder) {
  switch (typeof value) {
    case 'number':
      return problemOfNumber(value);
    case 'undefined':
      // In an object it is as good as absent; in an array it would become null.
      return Array.isArray(holder) ? 'is undefined, which JSON does not have: use null' : undefined;
    case 'bigint':
    case 'function':
    case 'symbol':
      return unknown(typeof value);
    case 'object':
      return value === null ? undefined : problemOfObject(value);
  }
}

function problemOfNumber(value) {
  if (!Number.isFinite(value)) return `is ${value}, which JSON does not have: use null or a string`;
  // From 1e21 on it is written with an exponent, and read as one that is not exact.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21)
    return 'is a whole number beyond 2**53 - 1, which may be rounded already: use a string';
}

function problemOfObject(value) {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === 'Date' && Number.isNaN(value.getTime())) return 'is an invalid Date: use null';
  if (ArrayBuffer.isView(value)) return unknown(value.constructor?.name ?? tag);
  if (PLAIN.has(tag)) return tag === 'Number' ? problemOfNumber(Number(value)) : undefined;
  if (typeof value.toJSON === 'function') return undefined;
  return unknown(tag);
}

function unknown(kind) {
  const hint =
    HINTS[kind] ??
    (kind.endsWith('Iterator') ? 'use [...value]' : 'return strings, numbers, arrays and objects');
  return `is of type ${kind}, which JSON does not have: ${hint}`;
}

/** Why a value can't be JSON, and where in it the reason is. */
function unfit(value, root, error) {
  const above = new Set();
  const look = (value, where, holder) => {
    const problem = problemOf(value, holder);
    if (problem !== undefined) return `${where} ${problem}`;
    if (typeof value !== 'object' || value === null) return undefined;
    if (typeof value.toJSON === 'function') return look(value.toJSON(), where, undefined);
    if (above.has(value)) return `${where} holds itself`;
    if (above.size > DEPTH) return `${root === 'result' ? 'the result' : root} is nested too deeply`;
    above.add(value);
    const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
    for (const key of keys) {
      const found = look(value[key], Array.isArray(value) ? `${where}[${key}]` : `${where}.${key}`, value);
      if (found !== undefined) return found;
    }
    above.delete(value);
    return undefined;
  };
  try {
    return new Unfit(look(value, root, undefined) ?? `the ${root} can't be made JSON: ${error.message}`);
  } catch (other) {
    return new Unfit(
      other instanceof RangeError
        ? `the ${root} is nested too deeply`
        : `the ${root} can't be made JSON: reading it failed: ${textOf(() => other.message)}`,
    );
  }
}

/** What a function of theirs answers as text; it may throw, and answer anything. */
export function textOf(read, otherwise = 'unknown') {
  try {
    const value = read();
    return typeof value === 'string' ? value : value === undefined ? otherwise : String(value);
  } catch {
    return otherwise;
  }
}
