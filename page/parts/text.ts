/** Values as text for people. */
import { ManagerError } from '../../src/client/errors.ts';
import { printable } from '../../src/telemetry/printable.ts';

export { printable };

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
] as const;

/** A duration as `3d 4h`, `12m`, `9.4s` or `120ms`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return '0s';
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  const at = UNITS.findIndex(([size]) => seconds >= size);
  const [size, name] = UNITS[at] ?? UNITS[3];
  const whole = Math.floor(seconds / size);
  const [smaller, its] = UNITS[at + 1] ?? [0, ''];
  const rest = smaller === 0 || whole >= 10 ? 0 : Math.floor((seconds % size) / smaller);
  return rest > 0 ? `${whole}${name} ${rest}${its}` : `${whole}${name}`;
}

/** How long ago a time was; empty without one. */
export function formatTimeSince(time: string | null | undefined, now: number): string {
  const at = time ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at) ? '' : formatDuration(Math.max(1000, Math.floor((now - at) / 1000) * 1000));
}

/** A size in bytes as docker prints it. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === undefined || bytes === null) return '';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, at] = [bytes, 0];
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}

export const formatNumber = (value: number): string => value.toLocaleString('en');

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** The time of day, with the date if it is not today. */
export function formatTime(time: string | null | undefined): string {
  const at = time ? new Date(time) : undefined;
  if (!at || Number.isNaN(at.getTime())) return '';
  const today = at.toDateString() === new Date().toDateString();
  return today ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
}

export const toShortId = (id: string): string => id.slice(0, 8);

/** One line that says what failed and, of wrong fields, which. */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const issues = error instanceof ManagerError ? (error.issues ?? []) : [];
  const extra = issues.filter((issue) => !message.includes(issue.message));
  return [message, ...extra.map(({ path, message: why }) => `${path}: ${why}`)].join(' ');
}
