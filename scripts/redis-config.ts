/** What a private Redis is told. */
export interface PrivateRedis {
  port: number;
  /** What it listens on, loopback first. */
  addresses: string[];
  password: string | undefined;
}

/** Its configuration file, with its data in `directory`. */
export function configOf({ port, addresses, password }: PrivateRedis, directory: string): string {
  const auth = password ? [`requirepass ${password}`] : [];
  const lines = [`port ${port}`, `bind ${addresses.join(' ')}`, `dir "${directory}"`, ...auth];
  // A write is on disk within a second, and nothing is forked for snapshots.
  return [...lines, 'appendonly yes', 'save ""', 'protected-mode no', ''].join('\n');
}
