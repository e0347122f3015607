const MEMORY = /^(\d+(?:\.\d+)?)([bkmg]?)$/i;
const FACTOR: Record<string, number> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Parses a size as Docker writes it (`512m`, `1.5g`, `1048576`) to bytes; `undefined` if it is invalid or too large. */
export function parseMemory(text: string): number | undefined {
  const match = MEMORY.exec(text.trim());
  const factor = FACTOR[match?.[2]?.toLowerCase() ?? ''];
  if (!match || factor === undefined) return undefined;
  const bytes = Math.floor(Number(match[1]) * factor);
  // Beyond this, a number is not exact.
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const DURATION = /^(\d{1,12}(?:\.\d{1,9})?)([smhd]?)$/;
const SECONDS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };
/** The allowed values, as the end of "must be …". */
export const DURATION_ALLOWED = 'seconds, or a time such as 90s, 5m, 2h or 7d';

/** Parses a duration (`90`, `90s`, `1.5m`, `2h`, `7d`) to seconds; `undefined` if it is invalid. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  return match ? Number(match[1]) * (SECONDS[match[2] ?? ''] ?? 1) : undefined;
}

/** Formats milliseconds since 1970 as RFC 3339 in UTC, the only format of times on the wire. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/** Parses an RFC 3339 time to milliseconds since 1970; `undefined` if it is empty or invalid. */
export function parseInstant(text: string | undefined): number | undefined {
  // Data from others may not have the declared type.
  if (typeof text !== 'string') return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Formats bytes as Docker does: `1.36GB`, `980MB`. */
export function formatSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)), units.length - 1);
  return `${Number((bytes / 1000 ** power).toPrecision(3))}${units[power]}`;
}
