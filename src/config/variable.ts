/** The kinds of variables in the table in `variables.ts`, and their parsers. */
import { z } from 'zod';
import { countIn, numberIn, type Quantity, type Range, sizeFrom } from '../model/index.ts';
import { isAbsolutePath } from './cell-location.ts';
import { nextTime } from './cron.ts';

export type Environment = Record<string, string | undefined>;

/** One variable of the manager's environment. */
export interface Variable<S extends z.ZodType> {
  name: string;
  /** Parses the text of the variable. */
  schema: S;
  /** The allowed values, as the end of "must be …". */
  allowed: string;
  /** The default, which is parsed if the variable is not set or empty. */
  fallback?: string | ((env: Environment) => string);
  help: string;
  /** Formats a value for display, if it may contain a secret. */
  show?: (value: string) => string;
}

/** A variable that always has a value. */
export function defineVariable<S extends z.ZodType>(
  options: Variable<S> & { fallback: string | ((env: Environment) => string) },
): Variable<S> {
  return options;
}

/** A variable that may be unset. */
export function optionalVariable<S extends z.ZodType>(
  options: Omit<Variable<S>, 'fallback'>,
): Variable<z.ZodOptional<S>> {
  return { ...options, schema: options.schema.optional() };
}

/** A text that is a quantity, as its number. */
const fromText = (quantity: Quantity) =>
  z.string().transform((text, context) => {
    const value = quantity.parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `must be ${quantity.allowed}` });
    return z.NEVER;
  });

/** A quantity, or a word, which is `undefined`. */
const orWord = (word: string, quantity: Quantity) =>
  z.union([z.literal(word).transform(() => undefined), fromText(quantity)]);

export function numberVariable(name: string, fallback: string, range: Range, unit: string, help: string) {
  const quantity = numberIn(range, unit);
  return defineVariable({ name, schema: fromText(quantity), allowed: quantity.allowed, fallback, help });
}

export function integerVariable(name: string, fallback: string, range: Range, help: string) {
  const quantity = countIn(range);
  return defineVariable({ name, schema: fromText(quantity), allowed: quantity.allowed, fallback, help });
}

/** A whole number, or a word such as `auto` or `none`, which is `undefined`. */
export function integerOr(
  word: 'auto' | 'none',
  { name, fallback, range, help }: { name: string; fallback: string; range: Range; help: string },
) {
  const quantity = countIn(range);
  const allowed = `${quantity.allowed}, or ${word}`;
  return defineVariable({ name, schema: orWord(word, quantity), allowed, fallback, help });
}

export function choiceVariable<const T extends readonly [string, ...string[]]>(
  name: string,
  values: T,
  fallback: T[number],
  help: string,
) {
  return defineVariable({
    name,
    schema: z.enum(values),
    allowed: `one of ${values.join(', ')}`,
    fallback,
    help,
  });
}

const HOST_NAME = /^\.?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/;
/** Log levels, in either case, because other programs write them in upper case. */
export function levelVariable<const T extends readonly [string, ...string[]]>(
  name: string,
  values: T,
  fallback: T[number],
  help: string,
) {
  const schema = z.string().toLowerCase().pipe(z.enum(values));
  return defineVariable({
    name,
    schema,
    allowed: `one of ${values.join(', ')}, in either case`,
    fallback,
    help,
  });
}

/** Host names, separated by commas; a leading dot matches all subdomains. */
export const hostNamesSchema = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
  )
  .refine((names) => names.every((name) => HOST_NAME.test(name)));

/** Bytes as Docker writes them, or `none`, which is `undefined`. */
export function sizeVariable(name: string, fallback: string, help: string) {
  const quantity = sizeFrom();
  const allowed = `${quantity.allowed}, or none`;
  return defineVariable({
    name,
    schema: orWord('none', quantity),
    allowed,
    fallback,
    help,
    show: toShortText,
  });
}

/** Formats whole mebibytes and gibibytes briefly; returns any other text unchanged. */
function toShortText(text: string): string {
  const bytes = /^\d{7,15}$/.test(text) ? Number(text) : Number.NaN;
  const unit = ([1024 ** 3, 1024 ** 2] as const).find((unit) => bytes % unit === 0);
  return unit ? `${bytes / unit}${unit === 1024 ** 3 ? 'g' : 'm'}` : text;
}

export const urlSchema = (schemes: readonly string[]) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && schemes.some((scheme) => text.startsWith(`${scheme}://`)));
export const pathSchema = z.string().refine(isAbsolutePath);
const FIELDS = /^(hourly|daily|weekly|([\d*][\d*,/-]*)( [\d*A-Za-z][\dA-Za-z*,/-]*){4})$/;

/** Whether such a time ever occurs; false for minute 99 or the 31st of February. */
function hasNextTime(text: string): boolean {
  try {
    return nextTime(text, 0) !== undefined;
  } catch {
    return false;
  }
}

/** `hourly`, `daily`, `weekly`, or five fields of cron; kept as text. */
export const cronSchema = z.string().max(100).regex(FIELDS).refine(hasNextTime);
