/**
 * Durations, sizes, counts and other numbers as users write them, in settings, specs, options of the command line and the
 * environment of a body. Each kind is parsed, bounded and described here and nowhere else. Without zod, because bodies load it.
 */
import { DURATION_ALLOWED, parseDuration, parseMemory } from './units.ts';

/** How a user's text becomes a number. */
export interface Quantity {
  /** The number; `undefined` if the text is invalid or out of bounds. */
  parse(text: string): number | undefined;
  /** The allowed values, as the end of "must be …". */
  allowed: string;
}

export type Range = readonly [least: number, most: number];

const DECIMAL = /^\d{1,15}(\.\d{1,9})?$/;

const within = (value: number | undefined, [least, most]: Range): number | undefined =>
  value !== undefined && value >= least && value <= most ? value : undefined;

const toNumber = (text: string) => (DECIMAL.test(text) ? Number(text) : undefined);

/** A decimal number; `unit` is the plural that messages name. */
export const numberIn = (range: Range, unit = ''): Quantity => ({
  parse: (text) => within(toNumber(text), range),
  allowed: `a number${unit && ` of ${unit}`} from ${range[0]} to ${range[1]}`,
});

/** A whole number. `1.0` is one too. */
export const countIn = (range: Range): Quantity => ({
  parse(text) {
    const value = within(toNumber(text), range);
    return Number.isInteger(value) ? value : undefined;
  },
  allowed: `a whole number from ${range[0]} to ${range[1]}`,
});

/** Seconds, as a number or with a unit. */
export const durationIn = (range: Range): Quantity => ({
  parse: (text) => within(parseDuration(text), range),
  allowed: `${DURATION_ALLOWED}, from ${range[0]} to ${range[1]} seconds`,
});

/** Bytes, as Docker writes them. */
export const sizeFrom = (least?: string): Quantity => ({
  parse: (text) => within(parseMemory(text), [parseMemory(least ?? '0') ?? 0, Number.MAX_SAFE_INTEGER]),
  allowed: least === undefined ? 'a size such as 500m or 20g' : `a size of at least ${least}, such as "512m"`,
});
