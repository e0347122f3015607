/** What of JSON Schema our own schemas use. */
export interface Schema {
  title?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  format?: string;
  default?: unknown;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  oneOf?: Schema[];
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

/** A type in words, with its bounds: `integer, 0 to 10`. */
export function typeOf(one: Schema): string {
  if (one.const !== undefined) return `\`${one.const}\``;
  const kinds = one.anyOf ?? one.oneOf;
  if (kinds) return kinds.map(typeOf).join(' | ');
  if (one.enum) return one.enum.map((value) => `\`${value}\``).join(' | ');
  if (one.type === 'array')
    return `list of ${typeOf(one.items ?? {})}${bounds(one.minItems, one.maxItems, ' entries')}`;
  if (one.type === 'object' && one.properties)
    return `object: ${Object.entries(one.properties)
      .map(([name, inner]) => `\`${name}\` (${typeOf(inner)})`)
      .join(', ')}`;
  if (one.type === 'object') return 'map of strings';
  const least = one.minimum ?? one.exclusiveMinimum;
  const numbers = bounds(
    safe(least),
    safe(one.maximum),
    '',
    one.exclusiveMinimum !== undefined ? 'above ' : '',
  );
  const type = Array.isArray(one.type) ? one.type.join(' | ') : (one.type ?? 'any');
  return `${type}${numbers}${bounds(undefined, one.maxLength, ' characters')}`;
}

/** zod bounds integers by what a double can represent; that bound isn't ours. */
const safe = (bound: number | undefined) =>
  bound !== undefined && Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? undefined : bound;

function bounds(least: number | undefined, most: number | undefined, unit: string, above = ''): string {
  if (least === undefined && most === undefined) return '';
  if (most === undefined) return `, ${above || 'at least '}${least}${unit}`;
  if (least === undefined) return `, at most ${most}${unit}`;
  return `, ${above}${least} to ${most}${unit}`;
}
