/** Parsers of values on the command line. Each throws commander's error, which names the option. */
import { InvalidArgumentError } from 'commander';
import {
  countIn,
  durationIn,
  errorMessage,
  LONGEST_SECONDS,
  numberIn,
  type Quantity,
} from '../model/index.ts';
import { isEntryId, LAST_SEQUENCE } from '../model/messages/entry-id.ts';
import { readInput } from './read-input.ts';

/** What no option needs more of, and no timer and no stream overflows at. */
const MOST = 1_000_000_000;

/** Reads one quantity of an option. */
const read = (quantity: Quantity) => (text: string) => {
  const value = quantity.parse(text.trim());
  if (value === undefined) throw new InvalidArgumentError(`It must be ${quantity.allowed}.`);
  return value;
};

/** Seconds, as a number or with a unit: `90`, `1.5m`, `2h`, `7d`. */
export const parseSeconds = read(durationIn([0, LONGEST_SECONDS]));
export const parseNumber = read(numberIn([0, MOST]));
export const parseCount = read(countIn([0, MOST]));

/**
 * A time as the ID of a stream after which entries are read: an age such as `10m`, an RFC 3339 time, or the ID of an
 * entry.
 */
export function parseSince(text: string): string {
  if (text.includes('-') && isEntryId(text)) return text;
  const age = durationIn([0, LONGEST_SECONDS]).parse(text.trim());
  const at = age === undefined ? Date.parse(text) : Date.now() - age * 1000;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('It must be an age such as 10m, an RFC 3339 time, or the ID of an entry.');
  return `${Math.max(0, Math.floor(at) - 1)}-${LAST_SEQUENCE}`;
}

/** Ports, separated by commas, or `any` or `none`. */
export function parsePorts(text: string): 'any' | number[] {
  if (text === 'any') return 'any';
  if (text === 'none') return [];
  return text.split(',').map(parsePort);
}

export const parsePort = read(countIn([1, 65_535]));

/** `K=V`, repeatable. */
export function addPair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `URL,SECRET`, repeatable. */
export function addWebhook(
  text: string,
  before: { url: string; secret: string }[] = [],
): { url: string; secret: string }[] {
  const at = text.lastIndexOf(',');
  if (at < 1)
    throw new InvalidArgumentError('It must be URL,SECRET, such as https://example.com/hook,hook-key.');
  return [...before, { url: text.slice(0, at), secret: text.slice(at + 1) }];
}

/** Appends a value to a list. */
export function addItem(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** The text itself, or the content of a file with `@` in front; `@-` is standard input. */
export function readTextOrFile(text: string): string {
  if (!text.startsWith('@')) return text;
  return readText(text.slice(1));
}

/** The text of a file without a byte order mark, which Windows editors write; `-` is standard input. */
export function readText(path: string): string {
  try {
    return readInput(path).replace(/^\uFEFF/, '');
  } catch (error) {
    throw new InvalidArgumentError(`The file cannot be read: ${errorMessage(error)}.`);
  }
}
