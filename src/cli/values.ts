/** Parsers of values on the command line. Each throws commander's error, which names the option. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { DURATION_ALLOWED, messageOf, parseDuration } from '../model/index.ts';

/** Seconds, as a number or with a unit: `90`, `1.5m`, `2h`, `7d`. */
export function seconds(text: string): number {
  const found = parseDuration(text);
  if (found === undefined) throw new InvalidArgumentError(`It must be ${DURATION_ALLOWED}.`);
  return found;
}

export function number(text: string): number {
  if (!/^\d{1,15}(\.\d{1,9})?$/.test(text.trim())) throw new InvalidArgumentError('It must be a number.');
  return Number(text);
}

export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text.trim())) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** `K=V`, repeatable. */
export function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Appends a value to a list. */
export function item(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** The text itself, or the content of a file with `@` in front; `@-` is standard input. */
export function textOrFile(text: string): string {
  if (!text.startsWith('@')) return text;
  return readText(text.slice(1));
}

/** The text of a file without a byte order mark, which Windows editors write; `-` is standard input. */
export function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new InvalidArgumentError(`The file cannot be read: ${messageOf(error)}.`);
  }
}
