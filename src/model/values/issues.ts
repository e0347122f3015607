/**
 * Converts zod errors to issues for people: the field's path, and a phrase that follows it, such as `resources.memory
 * must be a string, not a number`. Importing this file sets zod's messages for every schema of the project.
 */
import { z } from 'zod';
import type { Issue } from './fault.ts';

type ZodIssue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** Maximum number of choices that an error lists. */
const CHOICES_SHOWN = 40;
const NOUNS: Record<string, string> = {
  array: 'a list',
  object: 'a map',
  record: 'a map',
  int: 'a whole number',
  null: 'null',
  undefined: 'missing',
};
const UNITS: Record<string, string> = {
  string: 'characters',
  array: 'items',
  record: 'entries',
  map: 'entries',
};

const NUMBERS = new Set(['int', 'number']);

z.config({ localeError: phrase });

/** zod's issues, one per field: unknown fields are listed one by one, and for a union the closest alternative is used. */
export function toIssues(error: z.ZodError): Issue[] {
  return error.issues.flatMap((issue) => toIssueList(issue, []));
}

function toIssueList(issue: ZodIssue, base: readonly string[]): Issue[] {
  const path = [...base, ...issue.path.map(String)];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a known field' }));
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path: path.join('.'), message: `(the key) ${message}` }));
    case 'invalid_union':
      return issue.errors.length > 0 ? unionIssues(issue.errors, path) : [plain(issue, path)];
    default:
      return [plain(issue, path)];
  }
}

const plain = ({ message }: ZodIssue, path: readonly string[]): Issue => ({ path: path.join('.'), message });

/**
 * The issues of the alternative that is closest to the input; if several are equally close, the fields that distinguish
 * them.
 */
function unionIssues(alternatives: readonly ZodIssue[][], path: readonly string[]): Issue[] {
  const distances = alternatives.map(countMismatches);
  const least = Math.min(...distances);
  const closest = alternatives.filter((_, at) => distances[at] === least);
  if (closest.length === 1 && closest[0]) return closest[0].flatMap((issue) => toIssueList(issue, path));
  const all = closest.flat();
  const missing = all.filter(isMissing).map((issue) => issue.path.join('.'));
  const unknown = all.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  const message =
    least === Number.POSITIVE_INFINITY
      ? joinAlternatives(alternatives.flatMap((issues) => issues.slice(0, 1).map((issue) => issue.message)))
      : missing.length > 0
        ? `must have one of ${[...new Set(missing)].join(', ')}`
        : `must have only one of ${[...new Set(unknown)].join(', ')}`;
  return [{ path: path.join('.'), message }];
}

/** The number of fields that would have to change; an input of another type does not match this alternative at all. */
function countMismatches(issues: readonly ZodIssue[]): number {
  const sizes = issues.map((issue) => {
    if (issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value'))
      return Number.POSITIVE_INFINITY;
    return issue.code === 'unrecognized_keys' ? issue.keys.length : 1;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

const isMissing = (issue: ZodIssue) => issue.code === 'invalid_type' && issue.message === REQUIRED;

/** One phrase for several types: `must be one of docker, direct, auto, or a map`. */
function joinAlternatives(messages: string[]): string {
  const wanted = messages.map((message) => message.replace(/^must be /, '').replace(/, not .*$/, ''));
  return `must be ${[...new Set(wanted)].join(', or ')}`;
}

const REQUIRED = 'is required';

/** zod's default message, if the schema has none of its own. */
function phrase(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return REQUIRED;
      // A query that is not a number arrives as NaN, and `must be a whole number, not a number` says nothing.
      return typeof issue.input === 'number' && NUMBERS.has(issue.expected)
        ? `must be ${noun(issue.expected)}`
        : `must be ${noun(issue.expected)}, not ${describeKind(issue.input)}`;
    case 'invalid_value':
      return `must be ${choices(issue.values)}`;
    case 'too_small':
      return `must ${bound(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum)}`;
    case 'too_big':
      return `must ${bound(issue.origin, issue.inclusive ? 'at most' : 'less than', issue.maximum)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'regex' ? `must match ${issue.pattern}` : `must be a valid ${issue.format}`;
    case 'invalid_union':
      return Array.isArray(issue.options)
        ? `must be ${choices(issue.options)}`
        : 'matches none of the allowed forms';
    case 'unrecognized_keys':
      return 'has unknown fields';
    default:
      return 'is not valid';
  }
}

function choices(values: readonly unknown[]): string {
  const shown = values.slice(0, CHOICES_SHOWN).map(String);
  if (values.length > CHOICES_SHOWN) shown.push('…');
  return shown.length === 1 ? `${shown[0]}` : `one of ${shown.join(', ')}`;
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  const unit = UNITS[origin];
  if (unit && relation === 'at least' && Number(limit) === 1) return 'not be empty';
  return unit ? `have ${relation} ${limit} ${unit}` : `be ${relation} ${limit}`;
}

const noun = (type: string) => NOUNS[type] ?? `a ${type}`;

function describeKind(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'number' && !Number.isFinite(input)) return String(input);
  return noun(typeof input);
}
