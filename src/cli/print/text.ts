/** Text for people: IDs, ages, and one-line forms. Pure. */
import { takeHead } from '../../model/index.ts';
import { printable } from '../../telemetry/printable.ts';

/** Printable text on one line, at most `most` characters long. */
export function toOneLine(text: string, most = 200): string {
  const line = printable(text).replace(/\s+/g, ' ').trim();
  return line.length > most ? `${takeHead(line, most - 1)}…` : line;
}

/** Docker's short form of an ID. */
export const shortId = (id: string): string => id.slice(0, 12);

/** An age as kubectl writes it: `5s`, `3m20s`, `2h5m`, `4d3h`. */
export function formatAge(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  if (total < 120) return `${total}s`;
  const [seconds, minutes, hours] = [total % 60, Math.floor(total / 60) % 60, Math.floor(total / 3600) % 24];
  const days = Math.floor(total / 86_400);
  if (days > 0) return `${days}d${hours > 0 && days < 10 ? `${hours}h` : ''}`;
  if (total >= 3600) return `${hours}h${minutes > 0 ? `${minutes}m` : ''}`;
  return `${minutes}m${seconds > 0 && minutes < 10 ? `${seconds}s` : ''}`;
}

/** The age of an RFC 3339 time; `-` if it is invalid. */
export function formatAgeSince(at: string | undefined, now: number): string {
  const ms = Date.parse(at ?? '');
  return Number.isNaN(ms) ? '-' : formatAge(now - ms);
}
