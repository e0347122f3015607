import { randomBytes } from 'node:crypto';

/** The configuration of a private Redis. */
export interface PrivateRedis {
  port: number;
  /** The addresses to listen on, loopback first. */
  addresses: string[];
  password: string | undefined;
}

export const newPassword = () => randomBytes(24).toString('hex');

/** Its configuration file, with its data in `directory`. */
export function configOf({ port, addresses, password }: PrivateRedis, directory: string): string {
  const auth = password ? [`requirepass ${password}`] : [];
  const lines = [`port ${port}`, `bind ${addresses.join(' ')}`, `dir "${directory}"`, ...auth];
  // A write is on disk within a second, and no process is forked for snapshots.
  return [...lines, 'appendonly yes', 'save ""', 'protected-mode no', 'pidfile "redis.pid"', ''].join('\n');
}

/** Its URL on loopback. */
export const urlAt = ({ port, password }: PrivateRedis, host = '127.0.0.1') =>
  `redis://${password ? `default:${password}@` : ''}${host}:${port}`;
